"""From probability to action: which match may be linked without asking, which is only shown, and what a
reader must know about it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Final

from classifiers.stance import MatchCalibration, StanceResult
from classifiers.stance.names import word_overlap
from classifiers.text import LANGUAGES
from index.records import VerifiedRecord
from index.times import end_of, start_of
from service.analysis_models import ClaimStatus, MatchLevel

UNSUPPORTED_LANGUAGE: Final = "unsupported_language"
EMPTY_INDEX: Final = "empty_index"
NOTHING_FOUND: Final = "nothing_found"
BELOW_THRESHOLD: Final = "below_threshold"
SHORT_CLAIM: Final = "short_claim"

SHORT_CLAIM_WORDS: Final = 8
"""A claim with fewer words that carry content is short: too little of it can differ for its vector to tell
two things of one kind apart (one lake from another)."""

_SHORT_CLAIM_SHARED = 0.8
_LONG_BEFORE = timedelta(days=365)
_CONTENT = re.compile(r"[^\W\d_]{4,}|\d+")


def is_short(claim: str) -> bool:
    """Whether a claim has too few words for a link by meaning alone."""
    return len(_CONTENT.findall(claim)) < SHORT_CLAIM_WORDS


def level_of(
    probability: float,
    calibration: MatchCalibration,
    *,
    claim: str,
    claim_language: str,
    evidence: str,
    evidence_language: str,
    stance: StanceResult,
) -> MatchLevel:
    """What a match is good for: "link", "suggest" or "none".

    A short claim is linked only if its names are those of the evidence or nearly all its words stand there.
    """
    if probability < calibration.suggest_threshold:
        return "none"
    if probability < calibration.link_threshold_of(claim_language, evidence_language):
        return "suggest"
    if not is_short(claim) or stance.guards.get("name") == "match":
        return "link"
    shared = word_overlap(claim, claim_language, evidence, evidence_language)
    agrees = stance.guards.get("name") != "mismatch" and shared >= _SHORT_CLAIM_SHARED
    return "link" if agrees else "suggest"


def status_of(
    levels: Collection[MatchLevel], language: str, *, held_back: bool, empty: bool
) -> tuple[ClaimStatus, str | None]:
    """What the levels of all matches of a claim amount to, and why where that is not a match.

    `held_back` says that one is probable enough to be linked, but only suggested.
    """
    if not levels:
        # An index without records and a filter that lets none through are different findings.
        return "no_match", EMPTY_INDEX if empty else NOTHING_FOUND
    if language not in LANGUAGES:
        return "abstained", UNSUPPORTED_LANGUAGE
    if "link" in levels:
        return "matched", None
    if "suggest" in levels:
        return "related", SHORT_CLAIM if held_back else None
    return "no_match", BELOW_THRESHOLD


def warnings_of(
    record: VerifiedRecord,
    stance: StanceResult,
    *,
    newer: str | None,
    claim_published: date | datetime | None,
    as_of: date | datetime | None,
) -> list[str]:
    """What a reader must know before trusting a match.

    The stance is towards the quoted words: where these are a claim that its publisher rated false, repeating
    them is no confirmation.
    """
    warnings = []
    if record.superseded_by is not None:
        warnings.append("superseded")
    if newer is not None:
        warnings.append("newer_record")
    if any(mismatch.type == "date" for mismatch in stance.mismatches):
        warnings.append("dates_differ")
    if record.published_at is not None:
        published = start_of(record.published_at)
        if as_of is not None and published > end_of(as_of):
            warnings.append("published_later")
        if claim_published is not None and start_of(claim_published) - published > _LONG_BEFORE:
            warnings.append("published_long_before")
    if as_of is None and not record.valid_at(datetime.now(UTC)):
        warnings.append("not_valid_now")
    if record.rating_normalised in ("false", "mostly_false"):
        warnings.append("rated_false")
    return warnings
