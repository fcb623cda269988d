"""The catalogues of all ten locales are complete, and say what the code can fill in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from babel.messages import Message

from service.dashboard.i18n import Formats, catalogue, translations
from service.dashboard.messages import extracted, left_over, missing
from service.labels.wording import LOCALES

PLACES = re.compile(r"%\(\w+\)s")
# What is written alike in every script: initials, formats and names.
LATIN_IN_CYRILLIC = re.compile(
    r"%\(\w+\)s|C2PA|XMP|SynthID|UTF-8|\.\w+|TAMGA_\w+|Tamga|RSS|Atom|CSV|JSON-LD|JSONL?|URL|QR|PEM|HTML"
    r"|ClaimReview|Parquet|Lines|Enter|ID|API"
)


def messages_of(locale: str) -> Iterator[Message]:
    return (message for message in catalogue(locale) if message.id)


def test_messages_are_found_in_templates_and_code() -> None:
    found = extracted()
    assert "Check a text" in found
    assert any(name.endswith(".html") for name in found["Skip to the content"])
    assert len(found) > 100


@pytest.mark.parametrize("locale", LOCALES)
def test_every_message_is_translated_and_none_is_left_over(locale: str) -> None:
    assert missing(locale) == []
    assert left_over(locale) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_translations_fill_in_the_same_places_and_hold_no_markup(locale: str) -> None:
    for message in messages_of(locale):
        said = str(message.string)
        assert sorted(PLACES.findall(said)) == sorted(PLACES.findall(str(message.id))), message.id
        assert not set("<>&") & set(said), message.id
        assert said == said.strip()
        # A stray sign would be taken for a place.
        assert "%" not in PLACES.sub("", said), message.id


@pytest.mark.parametrize("locale", [code for code in LOCALES if code != "en"])
def test_translations_are_in_their_own_language_and_script(locale: str) -> None:
    messages = [message for message in messages_of(locale) if len(str(message.id)) > 12]
    same = [message.id for message in messages if message.id == message.string]
    assert same == []
    if locale in ("kk", "ky", "ru", "uz-Cyrl"):
        for message in messages:
            rest = LATIN_IN_CYRILLIC.sub("", str(message.string))
            assert not re.search("[A-Za-z]", rest), (message.id, message.string)


def test_dates_and_numbers_follow_the_locale() -> None:
    moment = datetime(2026, 3, 5, 14, 7, tzinfo=UTC)
    assert Formats("en").day(date(2026, 3, 5)) == "March 5, 2026"
    assert Formats("kk").day(moment) == "2026\u202fж. 5 наурыз"
    assert Formats("hu").number(1234.5, 1) == "1\u00a0234,5"
    assert Formats("tr").percent(0.125, 1) == "%12,5"
    assert Formats("en").percent(0.0042, 2) == "0.42%"
    assert Formats("en").moment("2026-03-05T14:07:00+00:00").endswith("UTC")
    assert Formats("en").moment("2026-03-05") == "March 5, 2026"
    for locale in LOCALES:
        shown = Formats(locale)
        assert "2026" in shown.moment(moment)
        assert shown.language("kk") != "kk"
        assert shown.day(None) == ""


def test_an_unknown_locale_is_refused() -> None:
    with pytest.raises(KeyError):
        translations("xx")
