"""Verified records: search and list them, see one with its history, add or correct one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from index.ratings import NORMALISED_RATINGS
from index.records import VerifiedRecord
from service.api.access import requires
from service.api.state import Worker
from service.dashboard.flashes import flash
from service.dashboard.forms import Form, faults, read_form
from service.dashboard.i18n import marked
from service.dashboard.pages import Page, PageDep, record_path
from service.dashboard.words import RATINGS
from service.errors import Conflict, NotFound, PreconditionFailed
from service.matching import ClaimQuery
from service.runtime import Runtime
from service.store.records import RecordVersion

router = APIRouter(prefix="/dashboard/records", include_in_schema=False)

PAGE_SIZE: Final = 25
MAX_QUERY: Final = 2_000
SAVED: Final = flash("record-saved", "The record is saved and found from now on.")
UNCHANGED: Final = flash("record-unchanged", "Nothing was changed.", "note")
DELETED: Final = flash("record-deleted", "The record is deleted. Its history is kept.")
CHANGED_MEANWHILE: Final = marked(
    "Somebody changed this record after you opened it. Look at it again before you save."
)
ID_TAKEN: Final = marked("Another record has this number.")

# In the order of the form; the words of each in `words.RECORD_FIELDS`.
FIELDS: Final = (
    "id",
    "claim",
    "title",
    "text",
    "url",
    "publisher",
    "published_at",
    "rating",
    "rating_normalised",
    "language",
    "valid_from",
    "valid_to",
    "superseded_by",
)

RecordId = Annotated[str, Query(alias="id", min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class Change:
    """What one writing changed: (field, before, after), when, and how the earlier record ended."""

    at: Any
    deleted: bool
    fields: list[tuple[str, Any, Any]]


@router.get("", dependencies=[requires("records:read")])
async def records(
    page: PageDep,
    worker: Worker,
    q: Annotated[str, Query(max_length=MAX_QUERY)] = "",
    language: Annotated[str, Query(max_length=35)] = "",
    publisher: Annotated[str, Query(max_length=500)] = "",
    as_of: Annotated[str, Query(max_length=10)] = "",
    after: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """The records nearest to a statement; without one, all in order of their ids."""
    context: dict[str, Any] = {"q": q, "language": language, "publisher": publisher, "as_of": as_of}
    offered = [("", page.gettext(marked("All"))), *page.language_choices()]
    if _says_something(q):
        matches = await worker.run(
            lambda runtime: (
                runtime.matcher.match(
                    [ClaimQuery(q)],
                    top_k=PAGE_SIZE,
                    as_of=_day(as_of),
                    languages=[language] if language else None,
                    publishers=[publisher] if publisher else None,
                    group=True,
                )[0].matches
            ),
            characters=len(q),
        )
        # People look for the statement: those most probably about it come first, near words behind.
        likeliest = sorted(matches, key=lambda match: -match.probability)
        return page.render("records.html", tab="records", matches=likeliest, offered=offered, **context)

    def read(runtime: Runtime) -> tuple[Sequence[VerifiedRecord], int]:
        return runtime.store.records.list(after, PAGE_SIZE + 1), runtime.store.records.count()

    found, count = await worker.read(read)
    shown = found[:PAGE_SIZE]
    more = page.with_query(after=shown[-1].id) if len(found) > PAGE_SIZE else None
    first = page.with_query(after=None) if after else None
    return page.render(
        "records.html",
        tab="records",
        matches=None,
        found=shown,
        count=count,
        first=first,
        more=more,
        offered=offered,
        **context,
    )


@router.get("/view", dependencies=[requires("records:read")])
async def record(page: PageDep, worker: Worker, record_id: RecordId) -> Response:
    """One record with what it said before; for a deleted one, its history alone."""

    def read(runtime: Runtime) -> tuple[VerifiedRecord | None, Sequence[RecordVersion]]:
        return runtime.store.records.get(record_id), runtime.store.records.versions(record_id)

    current, versions = await worker.read(read)
    if current is None and not versions:
        raise NotFound("No record has this id.")
    return page.render(
        "record.html",
        tab="records",
        record=current or versions[-1].record,
        deleted=current is None,
        history=_history(versions, current),
        fields=FIELDS,
    )


@router.get("/new", dependencies=[requires("records:write")])
async def new_record(page: PageDep) -> Response:
    """An empty form."""
    return _form(page, {}, None, {})


@router.get("/edit", dependencies=[requires("records:write")])
async def edit_record(page: PageDep, worker: Worker, record_id: RecordId) -> Response:
    """The form with what the record says."""
    found = await worker.read(lambda runtime: runtime.store.records.get_with_revision(record_id))
    if found is None:
        raise NotFound("No record has this id.")
    current, revision = found
    return _form(page, current.model_dump(mode="json"), str(revision), {})


@router.post("/save", dependencies=[requires("records:write")])
async def save_record(request: Request, page: PageDep, worker: Worker) -> Response:
    """Add or correct a record. `seen` is the revision that the form was filled with: where the record has
    another one by now, nothing is written and the form comes back.
    """
    form = await read_form(request, worker.runtime.settings.max_body_bytes)
    given = {name: form.text(name) or None for name in FIELDS}
    seen = form.text("seen") or None
    try:
        wanted = VerifiedRecord.model_validate(given)
    except ValidationError as error:
        return _form(page, given, seen, faults(error))
    try:
        status = await worker.run(lambda runtime: _write(runtime, wanted, seen), characters=_size(form))
    except (Conflict, PreconditionFailed):
        wrong = ID_TAKEN if seen is None else CHANGED_MEANWHILE
        return _form(page, given, seen, {"id": page.gettext(wrong)}, status=409)
    return page.go(record_path(wanted.id), say=UNCHANGED if status == "unchanged" else SAVED)


@router.get("/delete", dependencies=[requires("records:write")])
async def confirm_deletion(page: PageDep, worker: Worker, record_id: RecordId) -> Response:
    """Asks once more."""
    found = await worker.read(lambda runtime: runtime.store.records.get(record_id))
    if found is None:
        raise NotFound("No record has this id.")
    return page.render("record_delete.html", tab="records", record=found)


@router.post("/delete", dependencies=[requires("records:write")])
async def delete_record(request: Request, page: PageDep, worker: Worker) -> Response:
    """Delete a record; its history stays."""
    form = await read_form(request, 10_000)
    if not await worker.read(lambda runtime: runtime.store.records.delete(form.text("id"))):
        raise NotFound("No record has this id.")
    return page.go("/dashboard/records", say=DELETED)


def _form(
    page: Page, given: dict[str, Any], seen: str | None, wrong: Any, *, status: int | None = None
) -> Response:
    named = [(code, page.gettext(RATINGS[code])) for code in NORMALISED_RATINGS]
    ratings = [("", page.gettext(marked("Read from the words"))), *named]
    languages = [("", page.gettext(marked("Found from the text"))), *page.language_choices()]
    known = {code for code, _ in languages}
    if given.get("language") and given["language"] not in known:
        languages.append((given["language"], given["language"]))
    return page.render(
        "record_edit.html",
        status or (422 if wrong else 200),
        tab="records",
        given={name: given.get(name) for name in FIELDS},
        seen=seen,
        wrong=wrong,
        ratings=ratings,
        languages=languages,
    )


def _write(runtime: Runtime, wanted: VerifiedRecord, seen: str | None) -> str:
    if seen is not None:
        # What is no number is a revision that nothing has.
        expected = int(seen) if seen.isdecimal() and len(seen) < 19 else -1
        return runtime.library.ingest.put(wanted, expected=expected)
    if runtime.store.records.get(wanted.id) is not None:
        raise Conflict("Another record has this id.")
    return runtime.library.ingest.put(wanted)


def _history(versions: Sequence[RecordVersion], current: VerifiedRecord | None) -> list[Change]:
    """Newest first."""
    after: list[VerifiedRecord | None] = [version.record for version in versions[1:]]
    if versions:
        after.append(current)
    changes = [
        Change(
            version.replaced_at,
            version.replaced_by == "delete",
            [] if following is None else _differences(version.record, following),
        )
        for version, following in zip(versions, after, strict=True)
    ]
    return changes[::-1]


def _differences(before: VerifiedRecord, after: VerifiedRecord) -> list[tuple[str, Any, Any]]:
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in FIELDS)
    return [(name, old, new) for name, old, new in pairs if old != new]


def _says_something(query: str) -> bool:
    return any(character.isalnum() for character in query)


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        return None


def _size(form: Form) -> int:
    return sum(len(form.text(name)) for name in ("claim", "title", "text"))
