"""Stance of evidence towards a claim: guards and similarity, weighed by a trained and calibrated head."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.stance.cross_encoder import WEIGHTS as CROSS_ENCODER_WEIGHTS
from classifiers.stance.cross_encoder import CrossEncoder
from classifiers.stance.evidence import STANCES, ClaimEvidence, StanceResult
from classifiers.stance.features import FEATURE_NAMES, pair_features, same_words
from classifiers.stance.guards import GuardReport
from classifiers.stance.trees import BoostedTrees

WEIGHTS = Path(__file__).with_name("weights")
CROSS_ENCODER = CROSS_ENCODER_WEIGHTS.name


class StanceModel:
    """Says whether evidence supports or contradicts a claim, or decides neither, and names the differences
    it saw.

    A cross-encoder reads claim and evidence together; trees weigh its reading with what the guards saw.
    Probabilities are calibrated by a temperature and by a caution against "contradicts" where no number or
    date clashes, both fitted on rows held out; below ``abstain_below`` the model abstains. Texts of the same
    words support each other and texts with nothing in common say nothing of each other, whatever the trees
    say. Weights and their figures: ``weights/MODEL_CARD.md``.
    """

    def __init__(self, trees: BoostedTrees, settings: dict[str, object], cross_encoder: CrossEncoder) -> None:
        if list(settings["features"]) != list(FEATURE_NAMES):  # type: ignore[call-overload]
            raise ValueError("stance weights were trained on other features: train them again")
        self._trees = trees
        self._cross_encoder = cross_encoder
        self._temperature = float(str(settings["temperature"]))
        self._caution = float(str(settings["caution"]))
        self.abstain_below = float(str(settings["abstain_below"]))
        self.model_version = str(settings["model_version"])

    @classmethod
    def load(
        cls, folder: Path | None = None, *, threads: int | None = None, remember: int = 0
    ) -> StanceModel:
        """Load the packaged weights, or those in ``folder``, building the cross-encoder's serving file where
        this machine has none yet.

        ``threads``: of one call; default: all cores. ``remember``: how many pairs keep the cross-encoder's
        reading. Raises FileNotFoundError or ValueError when the weights
        are unusable, ModelFilesError when the serving file is.
        """
        folder = folder or WEIGHTS
        settings = json.loads((folder / "stance.json").read_text(encoding="utf-8"))
        with np.load(folder / "stance.npz") as stored:
            trees = BoostedTrees.from_arrays({name: stored[name] for name in stored.files})
        return cls(
            trees, settings, CrossEncoder.load(folder / CROSS_ENCODER, threads=threads, remember=remember)
        )

    def compare(
        self, pairs: Sequence[ClaimEvidence], cosines: NDArray[np.floating] | None = None
    ) -> list[StanceResult]:
        """One result per pair, in order.

        ``cosines``: similarity of each pair's vectors by the packaged encoder (prompt ``query: `` on both
        sides); None when there are none, at some loss. Raises ValueError when their number differs from that
        of the pairs.
        """
        if not pairs:
            return []
        rows, reports = pair_features(pairs, cosines, self._cross_encoder.logits(pairs))
        probabilities = self.probabilities(rows)
        if cosines is not None:
            probabilities[np.asarray(cosines) < _UNRELATED_BELOW] = _UNRELATED
        probabilities[[same_words(pair) for pair in pairs]] = _SAME_WORDS
        return [self._result(p, report) for p, report in zip(probabilities, reports, strict=True)]

    def probabilities(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated probabilities ``(n, 3)`` in the order of ``STANCES`` for feature rows."""
        return calibrated(self._trees.logits(rows), rows, self._temperature, self._caution)

    def _result(self, probabilities: NDArray[np.float32], report: GuardReport) -> StanceResult:
        best = int(probabilities.argmax())
        abstained = bool(probabilities[best] < self.abstain_below)
        return StanceResult(
            stance="not_enough_info" if abstained else STANCES[best],
            scores={stance: float(p) for stance, p in zip(STANCES, probabilities, strict=True)},
            mismatches=report.mismatches,
            abstained=abstained,
            guards={str(name): verdict for name, verdict in report.verdicts.items()},
        )


# Texts whose cosine is lower have nothing in common. Of the pairs that support or contradict, one in two
# hundred lies there; the trees have seen hardly any and guess.
_UNRELATED_BELOW = 0.2
_UNRELATED = np.array([0.01, 0.01, 0.98], np.float32)
# Of a text against itself.
_SAME_WORDS = np.array([0.98, 0.01, 0.01], np.float32)
_CLASHES = [FEATURE_NAMES.index("numbers_clashing"), FEATURE_NAMES.index("dates_clashing")]


def calibrated(
    logits: NDArray[np.float32], rows: NDArray[np.float32], temperature: float, caution: float
) -> NDArray[np.float32]:
    """Probabilities ``(n, 3)`` from logits; ``caution`` speaks for "supports" in rows without a clashing
    value.

    A clash of numbers or dates is hard evidence; without one, "contradicts" rests on cues that paraphrases
    show too.
    """
    adjusted = logits / np.float32(temperature)
    adjusted[:, 0] += np.float32(caution) * (rows[:, _CLASHES].sum(axis=1) == 0)
    return softmax(adjusted)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Row-wise softmax."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)
