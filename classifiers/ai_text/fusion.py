"""One log-odds from three witnesses: character n-grams, the fine-tuned encoder, and named features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.ai_text.calibration import ScoreScale
from classifiers.ai_text.encoder import EncoderScorer
from classifiers.ai_text.features import FEATURES, measure
from classifiers.ai_text.linear import LinearScorer
from classifiers.text import count_words

#: Sentences of one text, as detector views.
Passage = Sequence[str]

#: Inputs of the fusion, in the order of its weights.
WITNESSES: Final = ("linear", "encoder", *FEATURES)
#: A single witness speaks up to so many human standard deviations: past that it is outside what fusion was
#: fitted on, and no feature alone may carry a verdict.
_LOUDEST: Final = 8.0
_LOUDEST_FEATURE: Final = 3.0


@dataclass(frozen=True)
class Fusion:
    """Weighted sum of standardised witnesses.

    ``linear_scale``, ``encoder_scale``: human location and spread of each model's log-odds.
    ``feature_centres``, ``feature_spreads``: per language (and ``"any"``) (12,) mean and deviation of human
    texts. ``weights``: (14,), one for every name in :data:`WITNESSES`, for all languages: what is learnt
    where there is much data serves where there is little.
    """

    linear_scale: ScoreScale
    encoder_scale: ScoreScale
    feature_centres: dict[str, NDArray[np.float64]]
    feature_spreads: dict[str, NDArray[np.float64]]
    weights: NDArray[np.float64]
    bias: float

    def witnesses(
        self,
        linear: NDArray[np.float64],
        encoder: NDArray[np.float64],
        features: NDArray[np.float64],
        language: str,
        words: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """The standardised inputs, (n, 14), of texts of one language.

        Args:
            linear, encoder: log-odds, (n,).
            features: (n, 12), see :func:`classifiers.ai_text.features.measure`.
            words: lengths, (n,).
        """
        known = language if language in self.feature_centres else "any"
        standard = (features - self.feature_centres[known]) / self.feature_spreads[known]
        return np.column_stack(
            [
                np.clip(self.linear_scale.standardise(linear, language, words), -_LOUDEST, _LOUDEST),
                np.clip(self.encoder_scale.standardise(encoder, language, words), -_LOUDEST, _LOUDEST),
                np.clip(standard, -_LOUDEST_FEATURE, _LOUDEST_FEATURE),
            ]
        )

    def combine(self, witnesses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds, (n,), from :meth:`witnesses`."""
        return np.asarray(witnesses @ self.weights + self.bias)

    def save(self, path: Path) -> None:
        """Write as one compressed array file."""
        arrays: dict[str, Any] = {"weights": self.weights, "bias": np.float64(self.bias)}
        for name, scale in (("linear", self.linear_scale), ("encoder", self.encoder_scale)):
            arrays |= {f"{name}/{key}": value for key, value in scale.to_arrays().items()}
        for language, centres in self.feature_centres.items():
            arrays[f"features/{language}"] = np.stack([centres, self.feature_spreads[language]])
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Fusion:
        """Read what :meth:`save` wrote.

        Raises:
            FileNotFoundError: no file at ``path``.
            ValueError: the file belongs to another set of witnesses.
        """
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        if arrays.get("weights", np.zeros(0)).shape != (len(WITNESSES),):
            raise ValueError(f"{path} holds no fusion of these {len(WITNESSES)} witnesses")
        scales = {
            name: ScoreScale.from_arrays(
                {key.removeprefix(f"{name}/"): v for key, v in arrays.items() if key.startswith(f"{name}/")}
            )
            for name in ("linear", "encoder")
        }
        features = {
            key.removeprefix("features/"): value
            for key, value in arrays.items()
            if key.startswith("features/")
        }
        return cls(
            scales["linear"],
            scales["encoder"],
            {language: value[0] for language, value in features.items()},
            {language: value[1] for language, value in features.items()},
            arrays["weights"],
            float(arrays["bias"]),
        )


@dataclass(frozen=True)
class TextScorer:
    """Raw log-odds of texts: the linear model alone, or all witnesses where the encoder is there."""

    linear: LinearScorer
    encoder: EncoderScorer | None = None
    fusion: Fusion | None = None

    def raw(self, passages: Sequence[Passage], language: str) -> NDArray[np.float64]:
        """Log-odds, (n,), of texts of one language."""
        views = [" ".join(passage) for passage in passages]
        linear = self.linear.score(views, language)
        if self.encoder is None or self.fusion is None or not views:
            return linear
        encoder = np.array([windows.logit for windows in self.encoder.score(views)])
        words = np.array([sum(map(count_words, passage)) for passage in passages], dtype=np.int64)
        features = np.stack([measure(passage) for passage in passages])
        return self.fusion.combine(self.fusion.witnesses(linear, encoder, features, language, words))

    def kind_probabilities(self, passage: Passage) -> NDArray[np.float64] | None:
        """Probabilities of generated, rewritten, translated, given a machine; None without encoder."""
        if self.encoder is None:
            return None
        logits = self.encoder.score([" ".join(passage)])[0].kind_logits
        exponents = np.exp(logits - logits.max())
        return np.asarray(exponents / exponents.sum())
