"""Which sentences are claims worth checking: a logistic head over the sentence vector and rule features."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.checkworthy.features import FEATURE_NAMES, rule_features

WEIGHTS = Path(__file__).with_name("weights")


class ClaimSpotter:
    """Probability that a sentence states a checkable fact, and how much it deserves checking.

    Two heads share their input: ``claim`` (is it a verifiable factual claim) and ``priority`` (is it of
    public interest or possible harm, so that fact-checkers would take it up). Weights and their figures:
    ``weights/MODEL_CARD.md``.
    """

    def __init__(self, arrays: dict[str, NDArray[np.float32]], settings: dict[str, object]) -> None:
        if list(settings["features"]) != list(FEATURE_NAMES):  # type: ignore[call-overload]
            raise ValueError("check-worthiness weights were trained on other rule features: train them again")
        self._claim = (arrays["claim_weights"], float(arrays["claim_bias"]))
        thresholds: dict[str, float] = settings["priority_thresholds"]  # type: ignore[assignment]
        self._priority = {
            language: (arrays[f"priority_{language}_weights"], float(arrays[f"priority_{language}_bias"]))
            for language in thresholds
        }
        self.model_version = str(settings["model_version"])
        self.threshold = float(str(settings["threshold"]))

    @classmethod
    def load(cls, folder: Path | None = None) -> ClaimSpotter:
        """Load the packaged weights, or those in ``folder``. Raises FileNotFoundError or ValueError when
        unusable.
        """
        folder = folder or WEIGHTS
        settings = json.loads((folder / "head.json").read_text(encoding="utf-8"))
        with np.load(folder / "head.npz") as stored:
            arrays = {name: stored[name].astype(np.float32) for name in stored.files}
        return cls(arrays, settings)

    def score(
        self, sentences: Sequence[str], vectors: NDArray[np.float32], language: str
    ) -> NDArray[np.float32]:
        """Probability, per sentence, of being a check-worthy factual claim; compare with ``threshold``.

        ``vectors``: the packaged encoder's, prompt ``query: ``, one row per sentence. Raises ValueError when
        rows and sentences differ in number.
        """
        if len(sentences) != len(vectors):
            raise ValueError(f"{len(sentences)} sentences but {len(vectors)} vectors")
        if not len(sentences):
            return np.zeros(0, np.float32)
        return _sigmoid(_logits(self._claim, head_inputs(sentences, vectors, language)))

    def priority(
        self, sentences: Sequence[str], vectors: NDArray[np.float32], language: str
    ) -> NDArray[np.float32]:
        """How likely fact-checkers would take the sentence up, 0 to 1, for ranking within one article.

        Turkish and English have heads of their own; for the others both are averaged. Errors as in
        :meth:`score`.
        """
        if len(sentences) != len(vectors):
            raise ValueError(f"{len(sentences)} sentences but {len(vectors)} vectors")
        if not len(sentences):
            return np.zeros(0, np.float32)
        heads = [self._priority[language]] if language in self._priority else list(self._priority.values())
        inputs = head_inputs(sentences, vectors, language)
        return _sigmoid(np.mean([_logits(head, inputs) for head in heads], axis=0))


def _logits(head: tuple[NDArray[np.float32], float], inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    weights, bias = head
    return inputs @ weights + np.float32(bias)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def head_inputs(sentences: Sequence[str], vectors: NDArray[np.float32], language: str) -> NDArray[np.float32]:
    """What the heads read: the sentence vector, then the rule features; shape (n, dimension + features)."""
    return np.hstack([vectors.astype(np.float32), rule_features(sentences, language)])
