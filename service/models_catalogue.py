"""Which models this service runs, in which versions, and what their cards say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Literal

from service.errors import NotFound
from service.runtime import Runtime

ModelName = Literal["language", "ai_text", "checkworthy", "stance", "match"]


@dataclass(frozen=True, slots=True)
class CataloguedModel:
    """One model: what it answers, which version runs here, and its card (Markdown)."""

    name: ModelName
    purpose: str
    version: str
    card: str


@dataclass(frozen=True, slots=True)
class _Entry:
    purpose: str
    package: str
    card: str
    version: Callable[[Runtime], str]


def _language_version(_: Runtime) -> str:
    weights = files("classifiers.text").joinpath("weights", "language.npz").read_bytes()
    return f"tamga-language-{hashlib.sha256(weights).hexdigest()[:12]}"


_ENTRIES: Final[dict[ModelName, _Entry]] = {
    "language": _Entry(
        "Which language and script a text is in.", "classifiers.text", "MODEL_CARD.md", _language_version
    ),
    "ai_text": _Entry(
        "How likely a text was machine-written, with bounded false alarms.",
        "classifiers.ai_text",
        "MODEL_CARD.md",
        lambda runtime: runtime.detector.model_version,
    ),
    "checkworthy": _Entry(
        "Which sentences are factual claims worth checking.",
        "classifiers.checkworthy",
        "MODEL_CARD.md",
        lambda runtime: runtime.spotter.model_version,
    ),
    "stance": _Entry(
        "Whether evidence supports a claim, contradicts it, or says nothing about it.",
        "classifiers.stance",
        "MODEL_CARD.md",
        lambda runtime: runtime.stance.model_version,
    ),
    "match": _Entry(
        "How likely a record and a claim are about the same statement.",
        "classifiers.stance",
        "MATCH_CARD.md",
        lambda runtime: runtime.match_calibration.model_version,
    ),
}


def catalogue(runtime: Runtime) -> list[CataloguedModel]:
    """Every model, in a fixed order. Loads what is not loaded yet."""
    return [_read(name, entry, runtime) for name, entry in _ENTRIES.items()]


def catalogued(name: str, runtime: Runtime) -> CataloguedModel:
    """One model by its name.

    Raises:
        NotFound: no model has that name.
    """
    for known, entry in _ENTRIES.items():
        if known == name:
            return _read(known, entry, runtime)
    raise NotFound(f"There is no model named {name!r}; there are {', '.join(_ENTRIES)}.")


def _read(name: ModelName, entry: _Entry, runtime: Runtime) -> CataloguedModel:
    card = files(entry.package).joinpath("weights", entry.card).read_text(encoding="utf-8")
    return CataloguedModel(name, entry.purpose, entry.version(runtime), card)
