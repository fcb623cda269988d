"""Train the stance head and write weights, figures and card.

    python -m classifiers.training.stance --data DIR

Trained on the written variants (held out by row for every figure), on changed copies of parallel sentences,
which keep the head from taking the written set's balance for the world's, and on a fifth of each English set.
The cross-encoder whose reading is among the features has seen none of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold

from classifiers.models import load_encoder
from classifiers.stance.cross_encoder import STEPS, CrossEncoder
from classifiers.stance.cross_encoder import WEIGHTS as CROSS_ENCODER_WEIGHTS
from classifiers.stance.evidence import STANCES
from classifiers.stance.features import FEATURE_NAMES, pair_features
from classifiers.stance.model import WEIGHTS, calibrated, softmax
from classifiers.stance.trees import BoostedTrees
from classifiers.training.stance_card import write_card
from classifiers.training.stance_pairs import (
    CONTRADICTS,
    SUPPORTS,
    LabelledPair,
    ParallelPairs,
    written_variants,
)
from classifiers.training.stance_sets import ENGLISH, english_set
from classifiers.training.vectors import ReadingCache, VectorCache

PARALLEL_PAIRS = 3000
PARALLEL_WEIGHT = 0.24
ENGLISH_WEIGHT = 0.6
FOLDS = 8
ENGLISH_FOLDS = 4
BOOSTERS = 3
# Wrongly said "contradicts" of a paraphrase in its own language: the caution is set to stay below this.
PARAPHRASES_CONTRADICTED = 0.08
# An answer less probable than this is no answer.
ABSTAIN_BELOW = 0.5
_DRAWS = 500

Floats = NDArray[np.float32]


def grown_trees(rows: Floats, stances: NDArray[np.int64], weights: Floats) -> BoostedTrees:
    """The mean of boosters that draw other features at each split: one alone swings by a point of F1."""
    return BoostedTrees.mean_of(
        [
            BoostedTrees.from_sklearn(
                HistGradientBoostingClassifier(
                    max_depth=5,
                    learning_rate=0.05,
                    max_iter=300,
                    max_features=0.3,
                    l2_regularization=5,
                    min_samples_leaf=25,
                    random_state=seed,
                ).fit(rows, stances, sample_weight=weights)
            )
            for seed in range(1, BOOSTERS + 1)
        ]
    )


def featurise(pairs: Sequence[LabelledPair], cache: VectorCache, readings: ReadingCache) -> Floats:
    """Feature rows with cosines of the cached vectors and readings of the cross-encoder."""
    claims, evidence = (
        cache.encode([p.pair.claim for p in pairs]), cache.encode([p.pair.evidence for p in pairs])
    )  # fmt: skip
    compared = [p.pair for p in pairs]
    rows, _ = pair_features(compared, np.sum(claims * evidence, axis=1), readings.logits(compared))
    return rows


def calibrate(
    logits: Floats, rows: Floats, stances: NDArray[np.int64], paraphrases: NDArray[np.bool_]
) -> tuple[float, float]:
    """Temperature by likelihood on held-out logits, then the caution that keeps paraphrases safe."""

    def loss(log_temperature: NDArray[np.float64]) -> float:
        probabilities = softmax(logits / np.float32(np.exp(log_temperature[0])))
        return float(-np.log(probabilities[np.arange(len(stances)), stances] + 1e-9).mean())

    temperature = float(np.exp(minimize(loss, np.zeros(1), method="Nelder-Mead").x[0]))
    for caution in np.arange(0, 3, 0.05):
        said = calibrated(logits[paraphrases], rows[paraphrases], temperature, caution).argmax(axis=1)
        if np.mean(said == CONTRADICTS) <= PARAPHRASES_CONTRADICTED:
            return temperature, float(caution)
    raise ValueError("no caution keeps paraphrases from being called contradictions: the head learnt nothing")


def held_out_logits(rows: Floats, pairs: Sequence[LabelledPair], written: int, weights: Floats) -> Floats:
    """Logits of the written pairs, each by trees that saw no pair of its row; parallel pairs are always
    trained on.
    """
    stances = np.array([p.stance for p in pairs])
    groups = [p.group for p in pairs[:written]]
    logits = np.zeros((written, len(STANCES)), np.float32)
    rest = np.arange(written, len(pairs))
    for train, test in GroupKFold(FOLDS).split(rows[:written], stances[:written], groups):
        kept = np.concatenate([train, rest])
        logits[test] = grown_trees(rows[kept], stances[kept], weights[kept]).logits(rows[test])
    return logits


def figures_of(pairs: Sequence[LabelledPair], said: NDArray[np.int64]) -> dict[str, Any]:
    """Per case (evidence in the claim's language, in English, in Russian): F1 with interval, per language,
    per variant.
    """
    stances = np.array([p.stance for p in pairs])
    languages = np.array([p.pair.claim_language for p in pairs])
    evidence = np.array([p.pair.evidence_language for p in pairs])
    kinds, groups = np.array([p.kind for p in pairs]), np.array([p.group for p in pairs])
    result: dict[str, Any] = {}
    cases = {"same": languages == evidence}
    cases |= {other: (evidence == other) & (languages != other) for other in ("en", "ru", "tr")}
    for name, case in cases.items():
        result[name] = {
            "macro_f1": macro_f1(stances[case], said[case]),
            "macro_f1_interval": row_interval(stances[case], said[case], groups[case]),
            "languages": {
                str(lang): macro_f1(stances[case & (languages == lang)], said[case & (languages == lang)])
                for lang in sorted(set(languages[case]))
            },
            "said_contradicts": {
                str(kind): float(np.mean(said[case & (kinds == kind)] == CONTRADICTS))
                for kind in sorted(set(kinds[case]))
            },
            "said_supports": {
                str(kind): float(np.mean(said[case & (kinds == kind)] == SUPPORTS))
                for kind in sorted(set(kinds[case]))
            },
        }
    return result


def macro_f1(stances: NDArray[Any], said: NDArray[Any], labels: Sequence[int] = (0, 1, 2)) -> float:
    """Mean F1 over the stances in ``labels``."""
    return float(f1_score(stances, said, average="macro", labels=list(labels), zero_division=0))


def row_interval(
    stances: NDArray[Any], said: NDArray[Any], groups: NDArray[Any], labels: Sequence[int] = (0, 1, 2)
) -> list[float]:
    """95% interval of macro-F1 over ``labels``, drawing whole rows."""
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    rng = np.random.default_rng(0)
    values = []
    for _ in range(_DRAWS):
        drawn = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
        values.append(macro_f1(stances[drawn], said[drawn], labels))
    return [float(v) for v in np.percentile(values, [2.5, 97.5])]


def expected_calibration_error(probabilities: Floats, stances: NDArray[np.int64], bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over equal-width bins of confidence."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == stances
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(
        sum(
            np.mean(bin_of == b) * abs(right[bin_of == b].mean() - confidence[bin_of == b].mean())
            for b in range(bins)
            if (bin_of == b).any()
        )
    )


def held_out_english(corpus: TrainingCorpus, temperature: float, caution: float) -> tuple[list[int], Floats]:
    """Probabilities of the English pairs of a corpus, each by trees that saw no pair of its claim.

    Returns:
        their numbers in the corpus; (n, 3) probabilities.
    """
    english = [number for number, p in enumerate(corpus.pairs) if p.kind in ENGLISH]
    groups = [corpus.pairs[number].group for number in english]
    others = np.setdiff1d(np.arange(len(corpus.pairs)), english)
    probabilities = np.zeros((len(english), len(STANCES)), np.float32)
    for train, test in GroupKFold(ENGLISH_FOLDS).split(english, groups=groups):
        kept = np.concatenate([others, np.array(english)[train]])
        trees = grown_trees(corpus.rows[kept], corpus.stances[kept], corpus.weights[kept])
        rows = corpus.rows[np.array(english)[test]]
        probabilities[test] = calibrated(trees.logits(rows), rows, temperature, caution)
    return english, probabilities


@dataclass(frozen=True, slots=True)
class TrainingCorpus:
    """The written pairs first, parallel ones after them, with feature rows, stances and weights."""

    pairs: list[LabelledPair]
    written: int
    rows: Floats
    stances: NDArray[np.int64]
    weights: Floats

    @classmethod
    def read(cls, data: Path, cache: VectorCache, readings: ReadingCache) -> TrainingCorpus:
        """Read and featurise; the written stances are balanced, the other pairs weigh less."""
        written = written_variants(data)
        parallel = list(ParallelPairs(data, "head").draw(PARALLEL_PAIRS))
        english = [pair for name in ENGLISH for pair in english_set(data, name, "head")]
        pairs = [*written, *parallel, *english]
        stances = np.array([p.stance for p in pairs])
        weights = (len(written) / 3 / np.bincount(stances[: len(written)]))[stances].astype(np.float32)
        weights[len(written) :] = PARALLEL_WEIGHT
        weights[len(written) + len(parallel) :] = ENGLISH_WEIGHT
        return cls(pairs, len(written), featurise(pairs, cache, readings), stances, weights)


def measured(corpus: TrainingCorpus) -> tuple[float, float, dict[str, Any]]:
    """Temperature, caution and figures of trees that saw no pair of the row they judge."""
    written, rows = corpus.pairs[: corpus.written], corpus.rows[: corpus.written]
    stances = corpus.stances[: corpus.written]
    logits = held_out_logits(corpus.rows, corpus.pairs, corpus.written, corpus.weights)
    paraphrases = np.array(
        [p.kind == "paraphrase" and p.pair.claim_language == p.pair.evidence_language for p in written]
    )
    temperature, caution = calibrate(logits, rows, stances, paraphrases)
    probabilities = calibrated(logits, rows, temperature, caution)
    said = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1) >= ABSTAIN_BELOW
    figures = {
        "cases": figures_of(written, said),
        "calibration_error": expected_calibration_error(probabilities, stances),
        "answered": float(sure.mean()),
        "macro_f1_answered": macro_f1(stances[sure], said[sure]),
    }
    return temperature, caution, figures


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with claims/")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    encoder = load_encoder(threads=arguments.threads)
    cache = VectorCache(encoder)

    cross_encoder = CrossEncoder.load(threads=arguments.threads)
    readings = ReadingCache(cross_encoder)
    corpus = TrainingCorpus.read(arguments.data, cache, readings)
    temperature, caution, figures = measured(corpus)
    trees = grown_trees(corpus.rows, corpus.stances, corpus.weights)
    settings = {
        "model_version": "stance-6",
        "encoder": encoder.model_id,
        "cross_encoder": f"cross-encoder-{cross_encoder.digest[:12]}",
        "cross_encoder_steps": int(np.load(CROSS_ENCODER_WEIGHTS)[STEPS]),
        "features": list(FEATURE_NAMES),
        "temperature": temperature,
        "caution": caution,
        "abstain_below": ABSTAIN_BELOW,
    }
    WEIGHTS.mkdir(exist_ok=True)
    np.savez_compressed(WEIGHTS / "stance.npz", **trees.arrays())  # type: ignore[arg-type]
    (WEIGHTS / "stance.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    (WEIGHTS / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    write_card(WEIGHTS / "MODEL_CARD.md", settings, figures)
    print((WEIGHTS / "MODEL_CARD.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
