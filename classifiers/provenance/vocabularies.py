"""The vocabularies in which the world says how content was made, read into one.

- IPTC Digital Source Type (cv.iptc.org), with its retired terms, and its mirror in schema.org (release 30.0)
- C2PA's own additions to it
- W3C community group drafts "AI Content Disclosure for HTML": the vocabulary of 21 September 2026 and the one
  before it, and the way Drupal's ai_disclosure module fills the same field
- IETF draft-abaris-aicdh-01, the `AI-Disclosure` header

Values of others are read; only current terms are ever written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from classifiers.provenance.signal import HumanReview, Involvement, Outcome

IPTC: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
C2PA_SOURCE_TYPES: Final = "http://c2pa.org/digitalsourcetype/"
SCHEMA_ORG: Final = "https://schema.org/"
_SUFFIX: Final = "DigitalSource"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one value claims. `involvement` None: AI took part, the value does not say how far."""

    outcome: Outcome
    involvement: Involvement | None = None
    human_review: HumanReview | None = None


@dataclass(frozen=True, slots=True)
class SourceType:
    """A term of the IPTC vocabulary. `schema_org` is its member there, None where there is none."""

    id: str
    name: str
    claim: Claim
    schema_org: str | None = None
    retired: bool = False

    @property
    def uri(self) -> str:
        """The identifier as the vocabulary writes it."""
        return (C2PA_SOURCE_TYPES if self.id in _C2PA_ONLY else IPTC) + self.id


_GENERATED: Final = Claim("ai", "generated")
_ASSISTED: Final = Claim("ai", "assisted")
_MIXED: Final = Claim("ai", "mixed")
_HUMAN: Final = Claim("human", "none")
_OPEN: Final = Claim("inconclusive")
_C2PA_ONLY: Final = frozenset({"trainedAlgorithmicData", "empty"})

SOURCE_TYPES: Final[dict[str, SourceType]] = {
    term.id: term
    for term in (
        SourceType("digitalCapture", "Digital capture", _HUMAN, "DigitalCapture"),
        SourceType("computationalCapture", "Multi-frame capture", _HUMAN, "MultiFrameComputationalCapture"),
        SourceType("negativeFilm", "Digitised from a negative", _HUMAN, "NegativeFilm"),
        SourceType("positiveFilm", "Digitised from a positive", _HUMAN, "PositiveFilm"),
        SourceType("print", "Digitised from print", _HUMAN, "Print"),
        SourceType("humanEdits", "Human-edited media", _HUMAN),
        SourceType(
            "compositeWithTrainedAlgorithmicMedia",
            "Edited using Generative AI",
            _ASSISTED,
            "CompositeWithTrainedAlgorithmicMedia",
        ),
        SourceType(
            "algorithmicallyEnhanced", "Algorithmically-altered media", _OPEN, "AlgorithmicallyEnhanced"
        ),
        SourceType("digitalCreation", "Digital creation", _HUMAN),
        SourceType("dataDrivenMedia", "Data-driven media", _HUMAN, "DataDrivenMedia"),
        SourceType(
            "trainedAlgorithmicMedia", "Created using Generative AI", _GENERATED, "TrainedAlgorithmicMedia"
        ),
        SourceType("algorithmicMedia", "Pure algorithmic media", _OPEN, "AlgorithmicMedia"),
        SourceType("screenCapture", "Screen capture", _OPEN, "ScreenCapture"),
        SourceType("virtualRecording", "Virtual event recording", _OPEN, "VirtualRecording"),
        SourceType("composite", "Composite of elements", _OPEN, "Composite"),
        SourceType("compositeCapture", "Composite of captured elements", _HUMAN, "CompositeCapture"),
        SourceType(
            "compositeSynthetic", "Composite including generative AI elements", _MIXED, "CompositeSynthetic"
        ),
        SourceType("minorHumanEdits", "Minor human edits", _HUMAN, "MinorHumanEdits", retired=True),
        SourceType("digitalArt", "Digital art", _HUMAN, "DigitalArt", retired=True),
        SourceType("softwareImage", "Created by software", _OPEN, retired=True),
        SourceType("trainedAlgorithmicData", "Data made by a trained model", _GENERATED),
        SourceType("empty", "Blank canvas", _OPEN),
    )
}
_BY_SCHEMA_ORG: Final = {term.schema_org: term for term in SOURCE_TYPES.values() if term.schema_org}
_SCHEME = re.compile(
    r"^(?:https?://cv\.iptc\.org/newscodes/digitalsourcetype/|https?://c2pa\.org/digitalsourcetype/|digsrctype:)",
    re.IGNORECASE,
)
_SCHEMA_ORG_SCHEME = re.compile(r"^(?:https?://schema\.org/|schema:)")


def read_source_type(value: str) -> SourceType | None:
    """A digital source type as written in XMP, JSON-LD, ninjs, NewsML-G2 or C2PA; None for anything else."""
    value = value.strip()
    without = _SCHEMA_ORG_SCHEME.sub("", value)
    if without.endswith(_SUFFIX):
        return _BY_SCHEMA_ORG.get(without.removesuffix(_SUFFIX))
    return SOURCE_TYPES.get(_SCHEME.sub("", value).rstrip("/"))


def schema_org_value(term: SourceType) -> str:
    """The term for schema.org: its member there, or the IPTC identifier where there is none."""
    return f"{SCHEMA_ORG}{term.schema_org}{_SUFFIX}" if term.schema_org else term.uri


_DISCLOSURES: Final[dict[str, Claim]] = {
    # W3C community group draft of 21 September 2026; `none`, `ai-generated` and `mixed` are from before.
    "human-only": _HUMAN,
    "ai-assisted": Claim("ai", None, "reviewed"),
    "ai-autonomous": Claim("ai", None, "none"),
    "none": _HUMAN,
    "ai-generated": _GENERATED,
    "mixed": _MIXED,
    # Drupal's ai_disclosure
    "human_only": _HUMAN,
    "ai_metadata": _ASSISTED,
    "ai_rated": _ASSISTED,
    "ai_translated": _ASSISTED,
    "ai_summarized": _ASSISTED,
    "ai_partly_assisted": _ASSISTED,
    "ai_assisted_hitl": Claim("ai", "assisted", "reviewed"),
    "ai_generated_autonomous": Claim("ai", "generated", "none"),
    "ai_deepfake": _GENERATED,
}


def read_disclosure(value: str) -> Claim | None:
    """The value of an `ai-disclosure` meta element or attribute; None for an unknown one."""
    return _DISCLOSURES.get(value.partition(";")[0].strip().lower())


_HEADER_MODES: Final[dict[str, Claim]] = {
    "none": _HUMAN,
    "ai-modified": _ASSISTED,
    "ai-originated": _GENERATED,
    "machine-generated": Claim("ai", "generated", "none"),
}


def read_header_mode(value: str) -> Claim | None:
    """The `mode` of an `AI-Disclosure` header; None for an unknown one."""
    return _HEADER_MODES.get(value.strip().lower())
