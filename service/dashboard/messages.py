"""The messages of templates and code, held against the catalogues.

    python -m service.dashboard.messages

names what is missing or left over in each locale, and adds the missing messages, untranslated, to the
locale's dashboard.po, where a translator finds them. A test fails until all are translated.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from service.dashboard.i18n import FOLDER, babel_locale, catalogue
from service.labels.wording import LOCALES

PACKAGE: Final = Path(__file__).parent
METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS: Final = {"_": None, "gettext": None, "marked": None, "flash": (2,)}
MAIN_FILE: Final = "dashboard.po"


@cache
def extracted() -> dict[str, list[str]]:
    """Every message in use -> the files that use it."""
    found: dict[str, list[str]] = {}
    options = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "false"}}
    for name, _line, message, _comments, _context in extract_from_dir(
        PACKAGE, method_map=METHODS, options_map=options, keywords=KEYWORDS
    ):
        text = message if isinstance(message, str) else message[0]
        found.setdefault(text, []).append(name)
    return found


def missing(locale: str) -> list[str]:
    """Messages in use that a locale has not translated, or only as a guess (fuzzy)."""
    known = catalogue(locale)
    return [
        text
        for text in sorted(extracted())
        if (entry := known.get(text)) is None or not entry.string or entry.fuzzy
    ]


def left_over(locale: str) -> list[str]:
    """Messages of a locale's catalogue that nothing uses."""
    used = extracted()
    return sorted(str(message.id) for message in catalogue(locale) if message.id and message.id not in used)


def read_part(locale: str, name: str = MAIN_FILE) -> Catalog:
    """One file of a locale's catalogue; empty where there is none."""
    path = FOLDER / locale / name
    if not path.exists():
        return Catalog(locale=babel_locale(locale), fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=babel_locale(locale))


def write_part(locale: str, part: Catalog, name: str = MAIN_FILE) -> None:
    """Write one file of a locale's catalogue, in order of the messages and without dates, so that a change
    shows as what it is.
    """
    part.fuzzy = False
    path = FOLDER / locale / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        # Babel's own header has dates, which change with every writing.
        header = f"Language: {babel_locale(locale)}\\nContent-Type: text/plain; charset=UTF-8\\n"
        file.write(f'msgid ""\nmsgstr "{header}"\n\n'.encode())
        write_po(file, part, width=0, omit_header=True, sort_output=True, no_location=True)


def main() -> None:
    for locale in LOCALES:
        wanted, unused = missing(locale), left_over(locale)
        sys.stdout.writelines(_report(locale, wanted, unused))
        part = read_part(locale)
        for text in wanted:
            if part.get(text) is None:
                part.add(text, text if locale == "en" else "")
        write_part(locale, part)


def _report(locale: str, wanted: list[str], unused: list[str]) -> Iterator[str]:
    for text in wanted:
        yield f"{locale}: missing: {text}\n"
    for text in unused:
        yield f"{locale}: not used: {text}\n"


if __name__ == "__main__":
    main()
