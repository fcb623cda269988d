"""Check a text now: paste or upload, see the analysis. Nothing is stored unless asked."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from service.analysis import AnalysisOptions
from service.analysis_models import Analysis
from service.api.access import requires
from service.api.state import RequestWorker, Worker
from service.articles import ArticleInput
from service.dashboard.analysis_view import analysis_view
from service.dashboard.forms import REQUIRED, Form, faults, read_form
from service.dashboard.i18n import marked
from service.dashboard.pages import Page, PageDep
from service.dashboard.words import INVOLVEMENT
from service.errors import InvalidInput, TooLarge

router = APIRouter(prefix="/dashboard/check", include_in_schema=False)

HTML_SUFFIXES: Final = (".html", ".htm", ".xhtml")
NOT_UTF8: Final = marked("The file is not UTF-8 text. Save it as UTF-8 and try again.")
NO_TEXT_IN_PAGE: Final = marked("No article text was found in this page.")
BY_THE_TEXT: Final = marked("Found from the text")
NOT_STATED: Final = marked("Nothing stated")
DECLARED: Final = ("none", "assisted", "generated", "mixed")
FIELDS: Final = ("text", "title", "outlet", "url", "published_at", "language", "declared")


@router.get("", dependencies=[requires("articles:write")])
async def check_form(page: PageDep) -> Response:
    """The empty form."""
    return _form(page, Form({}, {}, {}, {}), {})


@router.post("", dependencies=[requires("articles:write")])
async def check_text(request: Request, page: PageDep, worker: Worker) -> Response:
    """The analysis of what was sent, below the form's title; the form again where something is wrong."""
    form = await read_form(request, worker.runtime.settings.max_body_bytes)
    try:
        source = _article(form)
    except ValidationError as error:
        return _form(page, form, faults(error))
    except UnicodeDecodeError:
        return _form(page, form, {"file": page.gettext(NOT_UTF8)})
    if source.text is None and source.html is None:
        return _form(page, form, {"text": page.gettext(REQUIRED)})
    try:
        analysis = await _analyse(worker, source, store=form.ticked("store"))
    except (InvalidInput, TooLarge) as error:
        at = "file" if form.files else "text"
        return _form(page, form, {at: page.gettext(NO_TEXT_IN_PAGE) if source.html else error.detail})
    text = source.text if source.text is not None else analysis.text
    return page.render("check_result.html", tab="check", view=analysis_view(analysis, text, page.locale))


def _form(page: Page, form: Form, wrong: dict[str, str] | Any) -> Response:
    return page.render(
        "check.html",
        422 if wrong else 200,
        tab="check",
        form=form,
        wrong=wrong,
        offered_languages=[("", page.gettext(BY_THE_TEXT)), *page.language_choices()],
        offered_declarations=[("", page.gettext(NOT_STATED)), *_declarations(page)],
    )


def _declarations(page: Page) -> list[tuple[str, str]]:
    return [(code, page.gettext(INVOLVEMENT[code])) for code in DECLARED]


def _article(form: Form) -> ArticleInput:
    """Raises ValidationError, UnicodeDecodeError."""
    given: dict[str, Any] = {name: form.text(name) or None for name in FIELDS if name != "text"}
    if "file" in form.files:
        content = form.files["file"].decode("utf-8-sig")
        suffix = PurePath(form.names["file"]).suffix.lower()
        given["html" if suffix in HTML_SUFFIXES else "text"] = content
    elif form.text("text"):
        given["text"] = form.values["text"]
    return ArticleInput.model_validate(given)


async def _analyse(worker: RequestWorker, source: ArticleInput, *, store: bool) -> Analysis:
    return await worker.run(
        lambda runtime: runtime.analyser.analyse(source, AnalysisOptions(store=store)),
        characters=len(source.text or source.html or ""),
    )
