"""Labelled stance sets of other projects: English evidence sets and the Hungarian entailment set."""

from __future__ import annotations

import hashlib
from pathlib import Path

from classifiers.stance.evidence import ClaimEvidence
from classifiers.training.claims_data import read_rows
from classifiers.training.stance_pairs import CONTRADICTS, NOT_ENOUGH, SUPPORTS, LabelledPair

ENGLISH = ("climate-fever", "feversym-dev", "fm2-dev", "healthver-dev")
# hu-rte says only "supported" or not: this label stands for the two other stances together.
NOT_SUPPORTED = -1
_LABELS = {
    "SUPPORTS": SUPPORTS, "REFUTES": CONTRADICTS, "NOT_ENOUGH_INFO": NOT_ENOUGH,
        "NOT_SUPPORTED": NOT_SUPPORTED,
    "NEUTRAL": NOT_ENOUGH,
}  # fmt: skip
_DEV_SHARE = 5


def in_dev(claim: str) -> bool:
    """Whether a claim belongs to the fifth kept for measuring; all its evidence goes with it."""
    return int(hashlib.sha256(claim.strip().lower().encode()).hexdigest(), 16) % _DEV_SHARE == 0


def read_set(data: Path, language: str, name: str) -> list[LabelledPair]:
    """One set as pairs; ``group`` is its claim."""
    return [
        LabelledPair(
            ClaimEvidence(row["claim"], row["evidence"], language, language),
            _LABELS[row["label"].upper()],
            name,
            row["claim"].strip().lower(),
        )
        for row in read_rows(data / "claims" / "stance" / f"{language}-{name}.jsonl.gz")
    ]


def english_set(data: Path, name: str, *, dev: bool) -> list[LabelledPair]:
    """The training or the development part of one English set, divided by claim."""
    return [p for p in read_set(data, "en", name) if in_dev(p.pair.claim) == dev]


def hungarian_set(data: Path, *, dev: bool) -> list[LabelledPair]:
    """The training or the development part of the Hungarian entailment set."""
    return [p for p in read_set(data, "hu", "rte-train") if in_dev(p.pair.claim) == dev]
