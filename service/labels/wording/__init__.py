"""The words of labels in nine languages, and in both scripts of Uzbek: badges, sentences, the reader page.

Rules of the wording: "with the help of" is used in the press for generated texts too, so a generated text has
the agentive form, and help is named together with the editor's check. A check is claimed only where there was
one. "Likely" never stands without "not confirmed".
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from pydantic import BaseModel, ConfigDict

from service.labels.model import HumanReview, State

LOCALES: Final = ("az", "kk", "ky", "tr", "uz", "uz-Cyrl", "tk", "hu", "ru", "en")
DEFAULT_LOCALE: Final = "en"


class Wording(BaseModel):
    """All words of one locale."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str
    name: str
    badge: dict[str, str]
    sentence: dict[str, str]
    page: dict[str, str]


@cache
def wording(locale: str) -> Wording:
    """The words of one of `LOCALES`."""
    if locale not in LOCALES:
        raise KeyError(locale)
    file = resources.files("service.labels.wording") / f"{locale}.json"
    return Wording.model_validate_json(file.read_bytes())


def badge(state: State, review: HumanReview, locale: str) -> str:
    """The one line of a label."""
    return wording(locale).badge[_key(state, review)]


def sentence(state: State, review: HumanReview, locale: str) -> str:
    """The label as a sentence."""
    return wording(locale).sentence[_key(state, review)]


def _key(state: State, review: HumanReview) -> str:
    return "ai_assisted_reviewed" if state == "ai_assisted" and review == "reviewed" else state


def best_locale(tags: list[str]) -> str:
    """The first of the language tags (BCP 47, most wanted first) that there are words for."""
    for tag in tags:
        parts = tag.replace("_", "-").lower().split("-")
        if parts[0] == "uz" and "cyrl" in parts:
            return "uz-Cyrl"
        if parts[0] in LOCALES:
            return parts[0]
    return DEFAULT_LOCALE


def accepted_languages(header: str) -> list[str]:
    """The tags of an Accept-Language header (RFC 9110), most wanted first."""
    weighed: list[tuple[float, str]] = []
    for part in header[:1_000].split(","):
        tag, _, parameter = part.partition(";")
        weight = 1.0
        if parameter.strip().lower().startswith("q="):
            try:
                weight = float(parameter.strip()[2:])
            except ValueError:
                continue
        if tag.strip() and weight > 0:
            weighed.append((weight, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda item: -item[0])]
