"""Claim against evidence: numbers, dates, names and negation guards, a stance head, and match calibration."""

from classifiers.stance.evidence import STANCES, ClaimEvidence, Mismatch, Stance, StanceResult
from classifiers.stance.match import MatchCalibration
from classifiers.stance.model import StanceModel

__all__ = [
    "STANCES",
    "ClaimEvidence",
    "MatchCalibration",
    "Mismatch",
    "Stance",
    "StanceModel",
    "StanceResult",
]
