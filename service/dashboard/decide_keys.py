"""The keys of the review page: each action has one, and everybody may choose others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from service.api.access import CallerDep, requires
from service.api.state import ModelWorkerDep
from service.dashboard.flashes import flash
from service.dashboard.forms import read_form
from service.dashboard.i18n import marked
from service.dashboard.pages import Page, PageDep
from service.dashboard.queue import with_runtime
from service.dashboard.queue_words import ACTIONS

router = APIRouter(prefix="/dashboard/keys-of-review", include_in_schema=False)

PREFERENCE: Final = "review_keys"
SAVED: Final = flash("keys-saved", "The keys are saved.")
ONE_CHARACTER: Final = marked("One letter, digit or sign.")
TAKEN: Final = marked("Another action has this key.")


def keys_of(preferences: Mapping[str, Any]) -> dict[str, str]:
    """Action -> key, as its owner chose or as it comes."""
    chosen = preferences.get(PREFERENCE, {})
    return {action: chosen.get(action, key) for action, (_words, key) in ACTIONS.items()}


@router.get("", dependencies=[requires("reviews:read")])
async def keys_form(page: PageDep, caller: CallerDep, worker: ModelWorkerDep) -> Response:
    """The keys, to be changed."""
    known = await with_runtime(worker, lambda runtime: runtime.store.accounts.preferences(caller.id))
    return _form(page, keys_of(known), {})


@router.post("", dependencies=[requires("reviews:read")])
async def save_keys(request: Request, page: PageDep, caller: CallerDep, worker: ModelWorkerDep) -> Response:
    """Save them, if each is one character and no two are the same."""
    form = await read_form(request, 10_000)
    given = {action: form.text(action) for action in ACTIONS}
    wrong: dict[str, str] = {}
    taken: set[str] = set()
    for action, key in given.items():
        if len(key) != 1 or not key.isprintable() or key.isspace():
            wrong[action] = page.gettext(ONE_CHARACTER)
        elif key in taken:
            wrong[action] = page.gettext(TAKEN)
        taken.add(key)
    if wrong:
        return _form(page, given, wrong)
    await with_runtime(
        worker, lambda runtime: runtime.store.accounts.set_preference(caller.id, PREFERENCE, given)
    )
    return page.go("/dashboard/keys-of-review", say=SAVED)


def _form(page: Page, given: dict[str, str], wrong: dict[str, str]) -> Response:
    words = {action: told for action, (told, _key) in ACTIONS.items()}
    return page.render(
        "review_keys.html", 422 if wrong else 200, tab="queue", given=given, wrong=wrong, words=words
    )
