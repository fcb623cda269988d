"""The way in: the first page, logging in and out."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.api.access import public
from service.dashboard.pages import PageDep

router = APIRouter(include_in_schema=False)


@router.get("/dashboard", dependencies=[public])
@router.get("/dashboard/", dependencies=[public])
async def first_page(page: PageDep) -> Response:
    """On to the first page of the navigation."""
    return page.go("/dashboard/check")
