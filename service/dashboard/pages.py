"""How a page is made: language, navigation, who looks at it, what was just said; then a template.

    @router.get("/dashboard/records", dependencies=[requires("records:read")])
    async def records(page: PageDep) -> Response:
        return page.render("records.html", found=...)

Templates get `page` (this object), `fmt` (dates and numbers), `_` (messages) and `asset`. Everything is
escaped; nothing is ever marked as safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from classifiers.text import LANGUAGES
from service.api import session_cookie
from service.api.access import CALLER
from service.auth.scopes import LOCAL, Caller, Scope
from service.claim_wording import claim_words
from service.dashboard import flashes, words, zones
from service.dashboard.assets import asset
from service.dashboard.i18n import Formats, babel_locale, marked, translations
from service.dashboard.zones import zone_of
from service.labels.wording import LOCALES, accepted_languages, badge, best_locale, wording

if TYPE_CHECKING:
    from service.settings import Settings

FOLDER: Final = Path(__file__).parent / "templates"
HOME: Final = "/dashboard"
LOCALE_COOKIE: Final = "tamga_lang"
KEPT_SECONDS: Final = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Tab:
    """One entry of the navigation; shown to those who have the scope."""

    name: str
    path: str
    message: str
    scope: Scope


TABS: Final = (
    Tab("queue", "/dashboard/queue", marked("Reviews"), "reviews:read"),
    Tab("check", "/dashboard/check", marked("Check a text"), "articles:write"),
    Tab("records", "/dashboard/records", marked("Records"), "records:read"),
    Tab("statistics", "/dashboard/statistics", marked("Statistics"), "articles:read"),
    Tab("audits", "/dashboard/audits", marked("Audits"), "audits:read"),
    Tab("settings", "/dashboard/settings", marked("Settings"), "models:read"),
)


THIS_MACHINE: Final = marked("This machine")


@cache
def environment(locale: str) -> Environment:
    """The templates in one language."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(translations(locale), newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(
        asset=asset,
        record_path=record_path,
        stances=claim_words(locale).stance,
        label_badge=lambda state, review: badge(state, review, locale),
        **{name: value for name, value in vars(words).items() if name.isupper()},
    )
    return made


def record_path(record_id: str) -> str:
    """The page of a record, whose id may hold anything."""
    return f"{HOME}/records/view?id={quote(record_id, safe='')}"


class Page:
    """One page for one request."""

    def __init__(self, request: Request) -> None:
        self.request = request

    @cached_property
    def locale(self) -> str:
        """The language: asked for in the address, chosen before, or the browser's."""
        asked = self.request.query_params.get("lang")
        chosen = self.request.cookies.get(LOCALE_COOKIE)
        wanted = [tag for tag in (asked, chosen) if tag in LOCALES]
        return best_locale([*wanted, *accepted_languages(self.request.headers.get("accept-language", ""))])

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone: chosen by whoever looks, or the newsroom's."""
        settings: Settings = self.request.scope["state"]["worker"].runtime.settings
        return zone_of(self.request.cookies.get(zones.COOKIE), settings.time_zone)

    @cached_property
    def formats(self) -> Formats:
        """Dates and numbers as this page writes them; `fmt` in templates."""
        return Formats(self.locale, self.zone)

    @property
    def caller(self) -> Caller | None:
        """Who looks at the page; None on a page that anyone may see."""
        caller: Caller | None = self.request.scope.get(CALLER)
        return caller

    @property
    def caller_name(self) -> str:
        """Who looks, by name."""
        if self.open_to_this_machine:
            return self.gettext(THIS_MACHINE)
        return "" if self.caller is None else self.caller.name

    def person(self, name: str | None) -> str:
        """Somebody's name; whoever sat at the machine while there was no account has one by translation."""
        return self.gettext(THIS_MACHINE) if name == LOCAL.name else name or ""

    @property
    def open_to_this_machine(self) -> bool:
        """Is nobody asked who they are, since there is no account or key yet?"""
        return self.caller is not None and self.caller.id == LOCAL.id

    @property
    def language_name(self) -> str:
        """The page's language in itself."""
        return wording(self.locale).name

    @property
    def path(self) -> str:
        return self.request.url.path

    @property
    def tabs(self) -> list[Tab]:
        """The part of the navigation that this caller may use."""
        return [tab for tab in TABS if self.may(tab.scope)]

    @property
    def languages(self) -> list[tuple[str, str, str]]:
        """Code, own name and address of this page for every language."""
        kept = [(name, value) for name, value in self.request.query_params.multi_items() if name != "lang"]
        # What was posted cannot be asked for again by a link.
        path = self.path if self.request.method in ("GET", "HEAD") else HOME
        return [
            (code, wording(code).name, f"{path}?{urlencode([*kept, ('lang', code)])}") for code in LOCALES
        ]

    @cached_property
    def said(self) -> flashes.Flash | None:
        """What the page before left to be said here."""
        return flashes.take(self.request)

    @property
    def logged_in(self) -> bool:
        """Is there a session to end?"""
        return self.caller is not None and session_cookie.token(self.request.scope) is not None

    @property
    def direction(self) -> str:
        return babel_locale(self.locale).text_direction

    def may(self, scope: Scope) -> bool:
        """May whoever looks do that? Hides what would be refused; routes are what refuses."""
        return self.caller is not None and scope in self.caller.scopes

    def gettext(self, message: str, **values: Any) -> str:
        """A message in the page's language, for what is not said by a template."""
        return translations(self.locale).gettext(message) % values

    def language_choices(self) -> list[tuple[str, str]]:
        """Code and name of the nine languages, for a choice."""
        return sorted(((code, self.formats.language(code)) for code in LANGUAGES), key=lambda item: item[1])

    def with_query(self, **changes: Any) -> str:
        """The address of this page with some of its query changed; None removes a name."""
        kept = [
            (name, value) for name, value in self.request.query_params.multi_items() if name not in changes
        ]
        added = [(name, str(value)) for name, value in changes.items() if value is not None]
        query = urlencode([*kept, *added])
        return f"{self.path}?{query}" if query else self.path

    def render(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """The page from a template. `tab` in the context marks an entry of the navigation."""
        context = {"page": self, "fmt": self.formats, "tab": None, **context}
        shown = environment(self.locale).get_template(template).render(context)
        answer = HTMLResponse(shown, status_code=status, headers={"Content-Language": self.locale})
        if self.request.query_params.get("lang") in LOCALES:
            self.keep(answer, LOCALE_COOKIE, self.locale)
        if self.said is not None:
            flashes.forget(answer)
        return answer

    def keep(self, answer: Response, cookie: str, value: str) -> None:
        """Have the browser keep a choice, for a year."""
        answer.set_cookie(
            cookie,
            value,
            max_age=KEPT_SECONDS,
            path=HOME,
            httponly=True,
            samesite="lax",
            secure=session_cookie.is_secure(self.request.scope),
        )

    def go(self, path: str, say: str | None = None) -> RedirectResponse:
        """On to another page of the dashboard after a form was taken, saying what became of it."""
        answer = RedirectResponse(local_path(path), status_code=303)
        if say is not None:
            flashes.leave(answer, say, secure=session_cookie.is_secure(self.request.scope))
        return answer


def local_path(path: str | None) -> str:
    """The path if it is one of the dashboard's own, else the dashboard's first page: what a caller names must
    not lead anywhere else.
    """
    if path is None or not path.isascii() or not path.isprintable() or "\\" in path or "//" in path:
        return HOME
    inside = path == HOME or path.startswith((HOME + "/", HOME + "?"))
    return path if inside and ".." not in path else HOME


PageDep = Annotated[Page, Depends(Page)]
