"""The dashboard's languages: message catalogues, and dates and numbers as a language writes them.

Catalogues are gettext's .po files under `locales/LOCALE/`, read when a language is first asked for: there is
no compiled form to forget. One language may have several files (one per area), which are put together.
Messages are their English text; the English catalogue repeats it, so that every locale is checked alike.
"""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Final

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from service.dashboard.zones import offset
from service.labels.wording import LOCALES

FOLDER: Final = Path(__file__).parent / "locales"


def marked(message: str) -> str:
    """Marks a message that is translated where it is shown; extraction finds it by this name."""
    return message


def babel_locale(locale: str) -> Locale:
    """Babel's locale for one of `LOCALES`."""
    return Locale.parse(locale.replace("-", "_"))


def catalogue(locale: str) -> Catalog:
    """All messages of a locale. Raises ValueError where two files of it translate a message differently."""
    together = Catalog(locale=babel_locale(locale), fuzzy=False)
    for path in sorted((FOLDER / locale).glob("*.po")):
        with path.open("rb") as file:
            part = read_po(file, locale=babel_locale(locale), abort_invalid=True)
        for message in part:
            if not message.id:
                continue
            known = together.get(message.id)
            if known is not None and known.string != message.string:
                raise ValueError(f"{path}: {message.id!r} is translated differently in another file")
            together.add(message.id, message.string, flags=message.flags)
    return together


@cache
def translations(locale: str) -> GNUTranslations:
    """The translations of one of `LOCALES`."""
    if locale not in LOCALES:
        raise KeyError(locale)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(locale))
    compiled.seek(0)
    return GNUTranslations(compiled)


class Formats:
    """Dates, numbers and names of languages as one locale writes them. Moments are shown in one time zone,
    and say how far it is from UTC.
    """

    def __init__(self, locale: str, zone: tzinfo = UTC) -> None:
        self._locale = babel_locale(locale)
        self._zone = zone

    def day(self, moment: date | datetime | str | None) -> str:
        """A day: 5 March 2026; nothing for None."""
        value = _moment(moment)
        if isinstance(value, datetime):
            value = self._local(value)
        return "" if value is None else format_date(value, "long", locale=self._locale)

    def moment(self, moment: datetime | date | str | None) -> str:
        """A day with the time, where there is one."""
        value = _moment(moment)
        if not isinstance(value, datetime):
            return self.day(value)
        local = self._local(value)
        day = format_date(local, "medium", locale=self._locale)
        hour = format_time(local, "short", tzinfo=self._zone, locale=self._locale)
        return f"{day} {hour} {offset(local)}"

    def _local(self, value: datetime) -> datetime:
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return aware.astimezone(self._zone)

    def ago(self, moment: datetime | str) -> str:
        """How long ago, or in how long: "2 hours ago"."""
        value = _moment(moment)
        assert isinstance(value, datetime)
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return format_timedelta(aware - datetime.now(UTC), add_direction=True, locale=self._locale)

    def number(self, value: float, digits: int = 0) -> str:
        """A number with at most so many digits after the point."""
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        return format_decimal(value, format=pattern, locale=self._locale)

    def percent(self, share: float, digits: int = 0) -> str:
        """A share of one in percent."""
        pattern = "#,##0" + ("." + "#" * digits if digits else "") + "%"
        # The pattern's place of the sign is English; the locale's own has it where it belongs.
        own = self._locale.percent_formats[None].pattern
        return format_percent(share, format=own.replace("#,##0", pattern[:-1]), locale=self._locale)

    def language(self, code: str | None) -> str:
        """The name of a language; the code where there is none."""
        if not code:
            return ""
        name: str = self._locale.languages.get(code.partition("-")[0], code)
        return name

    def territory(self, code: str) -> str:
        """The name of a country by its ISO 3166 code; the code where there is none."""
        name: str = self._locale.territories.get(code, code)
        return name


def _moment(moment: date | datetime | str | None) -> date | datetime | None:
    if not isinstance(moment, str):
        return moment
    return date.fromisoformat(moment) if len(moment) == 10 else datetime.fromisoformat(moment)
