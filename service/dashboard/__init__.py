"""The reviewer's dashboard: pages made on the server, which work without a script.

Pages declare scopes like the routes of the API (`service.api.access.requires`); errors become pages in
`answers`; `pages.Page` is what every page is made with.
"""

from __future__ import annotations

from fastapi import FastAPI

from service.dashboard import (
    article,
    audits,
    check,
    decide,
    decide_keys,
    feeds,
    people,
    policies,
    queue,
    records,
    reviewers,
    start,
    statistics,
)
from service.dashboard.answers import DashboardAnswers
from service.dashboard.assets import PREFIX, HashedFiles


def install(app: FastAPI) -> None:
    """Serve the dashboard. Call it after every other middleware was added: its own stands outermost."""
    app.mount(PREFIX, HashedFiles(), name="dashboard-static")
    for page in (
        start,
        queue,
        article,
        decide,
        decide_keys,
        check,
        records,
        feeds,
        statistics,
        reviewers,
        audits,
        people,
        policies,
    ):
        app.include_router(page.router)
    app.add_middleware(DashboardAnswers)
