"""From a cosine to the probability that a claim and a record are about the same factual statement."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WEIGHTS = Path(__file__).with_name("weights")


class MatchCalibration:
    """Calibrated match probabilities per pair of languages, and the two thresholds to act on.

    E5 cosines crowd between 0.7 and 1, differently for each pair of languages, so a fixed cosine means
    nothing; one logistic curve per group of pairs does. At ``suggest_threshold`` a match is worth showing,
    at ``link_threshold`` worth linking without asking; pairs that link falsely more often than others have a
    higher one of their own. Their measured precision: ``weights/MATCH_CARD.md``.
    """

    def __init__(self, settings: dict[str, object]) -> None:
        curves: dict[str, list[float]] = settings["curves"]  # type: ignore[assignment]
        self._curves = {pair: (float(slope), float(shift)) for pair, (slope, shift) in curves.items()}
        self.suggest_threshold = float(str(settings["suggest_threshold"]))
        self.link_threshold = float(str(settings["link_threshold"]))
        own: dict[str, float] = settings.get("link_thresholds", {})  # type: ignore[assignment]
        self._link_thresholds = {pair: float(threshold) for pair, threshold in own.items()}
        self.model_version = str(settings["model_version"])

    @classmethod
    def load(cls, folder: Path | None = None) -> MatchCalibration:
        """Load the packaged curves, or those in ``folder``. Raises FileNotFoundError or ValueError when
        unusable.
        """
        return cls(json.loads(((folder or WEIGHTS) / "match.json").read_text(encoding="utf-8")))

    def link_threshold_of(self, claim_language: str, record_language: str) -> float:
        """The probability from which a match of these languages, in either order, may be linked."""
        return self._link_thresholds.get(language_pair(claim_language, record_language), self.link_threshold)

    def probability(
        self, cosines: NDArray[np.floating], claim_language: str, record_language: str
    ) -> NDArray[np.float32]:
        """P(same factual statement) for cosines of the packaged encoder (prompt ``query: `` on both sides).

        A pair of languages without a curve of its own, whatever the order, takes the one fitted on all.
        """
        slope, shift = self._curve(claim_language, record_language)
        return np.asarray(1 / (1 + np.exp(-(slope * np.asarray(cosines) + shift))), dtype=np.float32)

    def logit(self, cosine: float, claim_language: str, record_language: str) -> float:
        """The logit of :meth:`probability`, which does not saturate."""
        slope, shift = self._curve(claim_language, record_language)
        return slope * cosine + shift

    def _curve(self, claim_language: str, record_language: str) -> tuple[float, float]:
        return self._curves.get(language_pair(claim_language, record_language), self._curves["any"])


def language_pair(one: str, other: str) -> str:
    """The key of an unordered pair of languages: ``kk-ru`` for (ru, kk)."""
    return "-".join(sorted((one, other)))
