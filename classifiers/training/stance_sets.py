"""Labelled stance sets of other projects: English evidence sets and the Hungarian entailment set."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from classifiers.stance.evidence import ClaimEvidence
from classifiers.training.claims_data import clean_post, read_rows
from classifiers.training.stance_pairs import CONTRADICTS, NOT_ENOUGH, SUPPORTS, LabelledPair

ENGLISH = ("climate-fever", "feversym-dev", "fm2-dev", "healthver-dev")
# hu-rte says only "supported" or not: this label stands for the two other stances together.
NOT_SUPPORTED = -1
_LABELS = {
    "SUPPORTS": SUPPORTS, "REFUTES": CONTRADICTS, "NOT_ENOUGH_INFO": NOT_ENOUGH,
        "NOT_SUPPORTED": NOT_SUPPORTED,
    "NEUTRAL": NOT_ENOUGH,
}  # fmt: skip
_SHARES = 5
Part = Literal["encoder", "head", "dev"]


def part_of(claim: str) -> Part:
    """Which part a claim belongs to, with all its evidence: a fifth measures, a fifth fits the head that
    reads the cross-encoder, the rest trains the cross-encoder.
    """
    share = int(hashlib.sha256(claim.strip().lower().encode()).hexdigest(), 16) % _SHARES
    return "dev" if share == 0 else "head" if share == 1 else "encoder"


def read_set(data: Path, language: str, name: str, *parts: Part) -> list[LabelledPair]:
    """The given parts of one set as pairs; ``group`` is the claim."""
    return [
        LabelledPair(
            ClaimEvidence(row["claim"], row["evidence"], language, language),
            _LABELS[row["label"].upper()],
            name,
            row["claim"].strip().lower(),
        )
        for row in read_rows(data / "claims" / "stance" / f"{language}-{name}.jsonl.gz")
        if part_of(row["claim"]) in parts
    ]


def english_set(data: Path, name: str, *parts: Part) -> list[LabelledPair]:
    """Parts of one English set, divided by claim."""
    return read_set(data, "en", name, *parts)


def hungarian_set(data: Path, *parts: Part) -> list[LabelledPair]:
    """Parts of the Hungarian entailment set."""
    return read_set(data, "hu", "rte-train", *parts)


def turkish_factchecks(data: Path) -> list[LabelledPair]:
    """Turkish claims with the finding of their fact-check, which says that they are right or wrong."""
    return [
        LabelledPair(
            ClaimEvidence(row["claim"], row["evidence"], "tr", "tr"),
            {"doğru": SUPPORTS, "yanlış": CONTRADICTS}[row["label"]],
            "factcheck",
            row["claim"].strip().lower(),
        )
        for row in read_rows(data / "claims" / "factchecks" / "tr-fctr1000_train.jsonl.gz")
    ]


def posts_with_claims(data: Path) -> list[LabelledPair]:
    """Posts that repeat a checked claim, in their own words: English and Turkish paraphrases."""
    records = {
        row["id"]: row["claim"] for row in read_rows(data / "claims" / "checkthat2020" / "records.jsonl.gz")
    }
    english = [
        (clean_post(row["query"]), records[record])
        for row in read_rows(data / "claims" / "checkthat2020" / "train.jsonl.gz")
        for record in row["relevant"]
        if record in records
    ]
    turkish = [
        (clean_post(row["query"]), row["claim"])
        for row in read_rows(data / "claims" / "trclaim19" / "pairs.jsonl.gz")
        if row["relevant"]
    ]
    return [
        LabelledPair(ClaimEvidence(claim, post, language, language), SUPPORTS, "post", claim)
        for language, pairs in (("en", english), ("tr", turkish))
        for post, claim in pairs
    ]
