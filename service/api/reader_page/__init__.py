"""The page that readers reach from a badge or QR code: one line first, details on tap, no script.

Server-rendered in the reader's language; nothing is loaded from elsewhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from babel import Locale as BabelLocale
from babel.dates import format_datetime
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from starlette.staticfiles import StaticFiles

from service.api.access import public
from service.api.labels import LabelId, at_desk
from service.api.state import ModelWorkerDep
from service.errors import NotFound
from service.labels.document import LabelDocument
from service.labels.issuing import LabelDesk, document_of, is_public
from service.labels.wording import (
    LOCALES,
    Wording,
    accepted_languages,
    badge,
    best_locale,
    sentence,
    wording,
)
from service.store.labels import StoredLabel

router = APIRouter(include_in_schema=False)

FOLDER: Final = Path(__file__).parent
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language",
}
# What readers are told of a label's history; drafts, disputes and manifests are the newsroom's own.
_TOLD: Final = {"issued": "event_issued", "superseded": "event_superseded", "revoked": "event_revoked"}


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("label.html")


@router.get("/l/{label_id}", dependencies=[public])
async def reader_page(
    label_id: LabelId,
    request: Request,
    worker: ModelWorkerDep,
    lang: Annotated[str | None, Query(max_length=35)] = None,
) -> HTMLResponse:
    """The label for readers; 404, with a page that says so, where nothing was published."""
    wanted = [lang] if lang else []
    locale = best_locale([*wanted, *accepted_languages(request.headers.get("accept-language", ""))])

    def read(desk: LabelDesk) -> tuple[dict[str, Any] | None, int]:
        try:
            label = desk.require(label_id)
        except NotFound:
            return None, 404
        return (_facts(desk, label, locale), 200) if is_public(label) else (None, 404)

    facts, status = await at_desk(worker, read)
    words = wording(locale)
    shown = _template().render(
        words=words,
        page=words.page,
        facts=facts,
        locales=[wording(code) for code in LOCALES],
        label_id=label_id if facts else None,
    )
    return HTMLResponse(shown, status_code=status, headers={**HEADERS, "Content-Language": locale})


def _facts(desk: LabelDesk, label: StoredLabel, locale: str) -> dict[str, Any]:
    document = document_of(label)
    words = wording(locale)
    status = label.status_at(datetime.now(UTC))
    subject = document.subject
    rows = [
        # A title is in the article's language, which a screen reader must be told.
        (words.page["item"], subject.title or subject.url, subject.url, subject.lang),
        (words.page["translated_from"], *_original(desk, subject.translation_of)),
        (words.page["who_says"], words.page.get(f"basis_{label.basis}"), None, None),
        (words.page["review"], words.page[f"review_{label.human_review}"], None, None),
        (words.page["responsible"], _joined(document.editorial_responsibility, "name", "role"), None, None),
        (words.page["ai_system"], _joined(document.ai_system, "name", "version", "provider"), None, None),
        (words.page["issuer"], document.issuer.name or document.issuer.id, document.issuer.id, None),
        (words.page["issued"], _moment(document.issued_at, locale), None, None),
        (words.page["label_id"], document.label_id, None, None),
    ]
    return {
        "id": label.id,
        "status": status,
        "in_force": status == "active",
        "newer": label.superseded_by,
        "badge": badge(label.state, label.human_review, locale),
        "sentence": sentence(label.state, label.human_review, locale),
        "state": label.state,
        "rows": [row for row in rows if row[1]],
        "unknown": _unknown(document, words),
        "history": [
            (_moment(event.at, locale), words.page[_TOLD[event.kind]])
            for event in desk.store.labels.history(label.id)
            if event.kind in _TOLD
        ],
    }


def _original(desk: LabelDesk, original: str | None) -> tuple[str | None, str | None, str | None]:
    """The original of a translation, its link and language: its label's page where it has one, its address
    otherwise.
    """
    if original is None:
        return None, None, None
    label = desk.store.labels.get(original.removeprefix("urn:uuid:"))
    if label is not None and is_public(label):
        subject = document_of(label).subject
        return subject.title or subject.url or label.id, desk.page_url(label.id), subject.lang
    return original, original if original.startswith(("https://", "http://")) else None, None


def _unknown(document: LabelDocument, words: Wording) -> list[str]:
    """What a reader might ask and the label does not answer."""
    asked = []
    with_ai = document.involvement in ("assisted", "generated", "mixed")
    if document.involvement in ("assisted", "mixed") and not document.subject.segments:
        asked.append("unknown_parts")
    if with_ai and document.ai_system is None:
        asked.append("unknown_system")
    if with_ai and document.human_review == "unknown":
        asked.append("unknown_review")
    return [words.page[name] for name in (*asked, "not_truth")]


def _joined(part: Any, *names: str) -> str | None:
    return ", ".join(str(getattr(part, name)) for name in names if getattr(part, name)) if part else None


def _moment(moment: datetime, locale: str) -> tuple[str, str]:
    """For machines, and as the language writes it."""
    shown = format_datetime(
        moment.astimezone(UTC), "long", tzinfo=UTC, locale=BabelLocale.parse(locale.replace("-", "_"))
    )
    return moment.astimezone(UTC).isoformat(timespec="seconds"), shown


def install(app: FastAPI) -> None:
    """Serve the page and its style sheet."""
    app.mount("/l/static", StaticFiles(directory=FOLDER / "static"), name="label-static")
    app.include_router(router)
