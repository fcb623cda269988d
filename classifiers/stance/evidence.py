"""What goes into a stance comparison and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Stance = Literal["supports", "contradicts", "not_enough_info"]
STANCES: tuple[Stance, ...] = ("supports", "contradicts", "not_enough_info")
GuardVerdict = Literal["match", "mismatch", "unknown"]
GuardName = Literal["number", "date", "name", "negation"]
GUARDS: tuple[GuardName, ...] = ("number", "date", "name", "negation")


@dataclass(frozen=True, slots=True)
class ClaimEvidence:
    """A claim and the evidence it is held against, with their language codes.

    The publication dates, if known, give relative words ("yesterday") a date; nothing else depends on them.
    """

    claim: str
    evidence: str
    claim_language: str
    evidence_language: str
    claim_published: date | None = None
    evidence_published: date | None = None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference a guard saw: its type and the two values as the texts write them.

    ``source_value`` is empty where the evidence has no counterpart to quote (a negation on one side).
    """

    type: Literal["number", "date", "name", "negation", "opposite"]
    claim_value: str
    source_value: str


@dataclass(frozen=True, slots=True)
class StanceResult:
    """Stance of the evidence towards the claim.

    ``scores`` are calibrated probabilities of the three stances and add up to 1. ``abstained`` says that
    none was probable enough; ``stance`` is then ``not_enough_info``. ``mismatches`` are what the guards saw,
    whatever the stance.
    """

    stance: Stance
    scores: dict[str, float]
    mismatches: tuple[Mismatch, ...]
    abstained: bool
    guards: dict[str, GuardVerdict]
