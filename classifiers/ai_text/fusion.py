"""One log-odds from all witnesses: two n-gram models, the fine-tuned encoder, and named features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
MODELS: Final = ("linear", "paired", "encoder")
WITNESSES: Final = (*MODELS, *FEATURES)
#: A single witness speaks up to so many human standard deviations: past that it is outside what fusion was
#: fitted on, and no feature alone may carry a verdict.
_LOUDEST: Final = 8.0
#: A model speaks only for a machine. That a text is unlike the machines it has met says nothing about those
#: it has not met, and must not silence a model that recognises something.
QUIETEST: Final = 0.0
_LOUDEST_FEATURE: Final = 3.0


@dataclass(frozen=True)
class Fusion:
    """Weighted sum of standardised witnesses.

    ``scales``: human location and spread of each model's log-odds, by the names in :data:`MODELS`.
    ``feature_centres``, ``feature_spreads``: per language (and ``"any"``) (12,) mean and deviation of human
    texts. ``weights``: (15,), one for every name in :data:`WITNESSES`, for all languages: what is learnt
    where there is much data serves where there is little. ``quietest``: the lowest a model is heard, in human
    standard deviations.
    """

    scales: dict[str, ScoreScale]
    feature_centres: dict[str, NDArray[np.float64]]
    feature_spreads: dict[str, NDArray[np.float64]]
    weights: NDArray[np.float64]
    bias: float
    quietest: float = QUIETEST

    def witnesses(
        self,
        models: Mapping[str, NDArray[np.float64] | None],
        features: NDArray[np.float64],
        language: str,
        words: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """The standardised inputs, (n, 15), of texts of one language.

        Args:
            models: log-odds, (n,), by the names in :data:`MODELS`; None from a model that does not know
                the language, which then has no say.
            features: (n, 12), see :func:`classifiers.ai_text.features.measure`.
            words: lengths, (n,).
        """
        known = language if language in self.feature_centres else "any"
        standard = (features - self.feature_centres[known]) / self.feature_spreads[known]
        columns = []
        for name in MODELS:
            scores = models[name]
            if scores is None:
                columns.append(np.zeros(len(words)))
                continue
            position = self.scales[name].standardise(scores, language, words)
            columns.append(np.clip(position, self.quietest, _LOUDEST))
        return np.column_stack([*columns, np.clip(standard, -_LOUDEST_FEATURE, _LOUDEST_FEATURE)])

    def combine(self, witnesses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds, (n,), from :meth:`witnesses`."""
        return np.asarray(witnesses @ self.weights + self.bias)

    def save(self, path: Path) -> None:
        """Write as one compressed array file."""
        arrays: dict[str, Any] = {
            "weights": self.weights,
            "bias": np.float64(self.bias),
            "quietest": np.float64(self.quietest),
        }
        for name, scale in self.scales.items():
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
            for name in MODELS
        }
        features = {
            key.removeprefix("features/"): value
            for key, value in arrays.items()
            if key.startswith("features/")
        }
        return cls(
            scales,
            {language: value[0] for language, value in features.items()},
            {language: value[1] for language, value in features.items()},
            arrays["weights"],
            float(arrays["bias"]),
            # Fusions fitted before models were heard for machines alone say nothing of it.
            float(arrays.get("quietest", -_LOUDEST)),
        )


@dataclass(frozen=True)
class Witnesses:
    """What speaks beside the masked linear model where the encoder is there, and how all are weighed."""

    paired: LinearScorer
    encoder: EncoderScorer
    fusion: Fusion


@dataclass(frozen=True)
class TextScorer:
    """Raw log-odds of texts: the masked linear model alone, or fused with the other witnesses."""

    linear: LinearScorer
    others: Witnesses | None = None

    def raw(self, passages: Sequence[Passage], language: str) -> NDArray[np.float64]:
        """Log-odds, (n,), of texts of one language."""
        views = [" ".join(passage) for passage in passages]
        linear = self.linear.score(views, language)
        if self.others is None or not views:
            return linear
        encoder = np.array([windows.logit for windows in self.others.encoder.score(views)])
        words = np.array([sum(map(count_words, passage)) for passage in passages], dtype=np.int64)
        features = np.stack([measure(passage) for passage in passages])
        models = {
            "linear": linear,
            "paired": paired_scores(self.others.paired, views, language),
            "encoder": encoder,
        }
        fusion = self.others.fusion
        return fusion.combine(fusion.witnesses(models, features, language, words))

    def kind_probabilities(self, passage: Passage) -> NDArray[np.float64] | None:
        """Probabilities of generated, rewritten, translated, given a machine; None without encoder."""
        if self.others is None:
            return None
        logits = self.others.encoder.score([" ".join(passage)])[0].kind_logits
        exponents = np.exp(logits - logits.max())
        return np.asarray(exponents / exponents.sum())


def paired_scores(paired: LinearScorer, views: Sequence[str], language: str) -> NDArray[np.float64] | None:
    """The paired model's log-odds, (n,); None for a language that it was not trained on."""
    return paired.score(views, language) if language in paired.languages else None
