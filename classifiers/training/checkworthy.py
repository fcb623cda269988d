"""Train the check-worthiness heads and write weights, figures and card.

    python -m classifiers.training.checkworthy --data DIR

Claim head: Turkish and English posts labelled "verifiable factual claim" (1B) and this project's own
examples in nine languages. Priority heads: posts labelled check-worthy (1A), one head per labelled language,
averaged elsewhere because the two sets were annotated apart and differ in base rate. bg, nl and ar posts
train nothing: they measure transfer.
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
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from classifiers.checkworthy.features import FEATURE_NAMES
from classifiers.checkworthy.spotter import WEIGHTS, head_inputs
from classifiers.models import load_encoder
from classifiers.text import LANGUAGES
from classifiers.training.checkworthy_card import write_card
from classifiers.training.claims_data import Row, checkworthy_rows, own_examples, read_rows
from classifiers.training.vectors import VectorCache

LABELLED = ("tr", "en")
TRANSFER = ("bg", "nl", "ar")
CLAIM, WORTHY = "1B_claim", "1A_checkworthy"
_CLAIM_C = 0.002
# Penalties tried for a priority head, strongest first.
_WORTHY_C = (0.0005, 0.001, 0.002, 0.005)
_AS_GOOD = 0.002
_OWN_WEIGHT = 4.0
PARALLEL_SENTENCES = 300
_FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Sentences of one set with head inputs ``(n, width)`` and 0/1 labels."""

    texts: list[str]
    inputs: Floats
    labels: NDArray[np.int64]


def load_set(data: Path, cache: VectorCache, language: str, task: str, split: str) -> Labelled:
    """One labelled set of posts, embedded."""
    texts, labels = checkworthy_rows(data, language, task, split)
    return Labelled(texts, head_inputs(texts, cache.encode(texts), language), np.array(labels))


def load_own(cache: VectorCache, rows: Sequence[Row], language: str) -> Labelled:
    """This project's examples in one language."""
    texts = [row[language] for row in rows]
    return Labelled(
        texts, head_inputs(texts, cache.encode(texts), language), np.array([r["claim"] for r in rows])
    )


def tfidf_baseline(balanced: bool) -> Pipeline:
    """What the head must beat: words and letter groups, logistic."""
    grams = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True),
    )
    return make_pipeline(
        grams, LogisticRegression(C=3, max_iter=3000, class_weight="balanced" if balanced else None)
    )


def best_f1_threshold(labels: NDArray[np.int64], scores: NDArray[Any]) -> float:
    """The cut with the highest F1; scores must be out of fold."""
    cuts = np.linspace(0.02, 0.9, 120)
    return float(cuts[int(np.argmax([f1_score(labels, scores >= cut) for cut in cuts]))])


def fit_logistic(
    inputs: Floats, labels: NDArray[np.int64], c: float, weights: NDArray[Any] | None
) -> Pipeline:
    """Standardised logistic regression."""
    head = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=3000))
    return head.fit(inputs, labels, logisticregression__sample_weight=weights)


def folded(head: Pipeline) -> tuple[Floats, float]:
    """The head as one weight vector and bias over raw inputs."""
    scaler, regression = head[0], head[1]
    weights = regression.coef_[0] / scaler.scale_
    bias = float(regression.intercept_[0] - weights @ scaler.mean_)
    return weights.astype(np.float32), bias


def train_claim_head(posts: Sequence[Labelled], own: Sequence[Labelled]) -> Pipeline:
    """Posts carry the bulk, own examples a higher weight each since they are what news looks like."""
    parts = [*posts, *own]
    weights = np.concatenate(
        [np.full(len(p.labels), 1.0 if i < len(posts) else _OWN_WEIGHT) for i, p in enumerate(parts)]
    )
    return fit_logistic(
        np.vstack([p.inputs for p in parts]), np.concatenate([p.labels for p in parts]), _CLAIM_C, weights
    )


def own_example_figures(posts: Sequence[Labelled], own: dict[str, Labelled]) -> dict[str, Any]:
    """Accuracy on own examples that are held out whole: five folds by example, so no translation of one is
    trained on.

    ``posts_only`` is the head trained on posts alone, which shows what the own examples are for.
    """
    count = len(next(iter(own.values())).labels)
    fold_of = np.random.default_rng(0).permutation(count) % 5
    hits: dict[str, list[bool]] = {language: [] for language in own}
    misses: dict[str, int] = {"claims_missed": 0, "others_flagged": 0}
    for fold in range(5):
        kept, held = fold_of != fold, fold_of == fold
        head = train_claim_head(posts, [Labelled([], o.inputs[kept], o.labels[kept]) for o in own.values()])
        for language, examples in own.items():
            said = head.predict(examples.inputs[held])
            hits[language] += (said == examples.labels[held]).tolist()
            misses["claims_missed"] += int(((said == 0) & (examples.labels[held] == 1)).sum())
            misses["others_flagged"] += int(((said == 1) & (examples.labels[held] == 0)).sum())
    alone = train_claim_head(posts, [])
    return {
        "accuracy": {language: float(np.mean(h)) for language, h in hits.items()},
        "posts_only": {
            lang: float(accuracy_score(o.labels, alone.predict(o.inputs))) for lang, o in own.items()
        },
        "examples": count,
        "total": count * len(own),
        **misses,
    }


def parallel_consistency(
    data: Path, cache: VectorCache, head: Pipeline, sentences: int = PARALLEL_SENTENCES
) -> dict[str, Any]:
    """Scores of the same news sentences in nine languages against those in English, and the share called
    claims.
    """
    rows = read_rows(data / "claims" / "parallel" / "ntrex.jsonl.gz")[:sentences]
    scores = {
        language: head.decision_function(head_inputs(texts, cache.encode(texts), language))
        for language in LANGUAGES
        if (texts := [row[language] for row in rows])
    }
    english = scores["en"]
    return {
        language: {
            "correlation_with_en": float(np.corrcoef(values, english)[0, 1]),
            "same_decision_as_en": float(np.mean((values > 0) == (english > 0))),
            "called_claims": float(np.mean(values > 0)),
        }
        for language, values in scores.items()
    }


def interval(labels: NDArray[Any], said: NDArray[Any], metric: Any, rounds: int = 1000) -> list[float]:
    """95% bootstrap interval of ``metric`` over the rows."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(labels), (rounds, len(labels)))
    return [float(v) for v in np.percentile([metric(labels[d], said[d]) for d in draws], [2.5, 97.5])]


def claim_figures(train: dict[str, Labelled], dev: dict[str, Labelled], head: Pipeline) -> dict[str, Any]:
    """1B accuracy and F1 per language beside the TF-IDF baseline where it can be trained."""
    figures: dict[str, Any] = {}
    for language, test in dev.items():
        said = head.predict(test.inputs)
        figures[language] = {
            "n": len(test.labels),
            "accuracy": float(accuracy_score(test.labels, said)),
            "accuracy_interval": interval(test.labels, said, accuracy_score),
            "f1": float(f1_score(test.labels, said)),
            "always_yes_accuracy": float(np.mean(test.labels)),
        }
        if language in train:
            baseline = tfidf_baseline(False).fit(train[language].texts, train[language].labels)
            figures[language]["tfidf_accuracy"] = float(
                accuracy_score(test.labels, baseline.predict(test.texts))
            )
    return figures


def best_penalty(train: Labelled) -> float:
    """The strongest penalty whose average precision in the folds is as good as the best one's."""
    precision = {
        c: average_precision_score(
            train.labels,
            cross_val_predict(_worthy_head(c), train.inputs, train.labels, cv=_FOLDS, method="predict_proba")[
                :, 1
            ],
        )
        for c in _WORTHY_C
    }
    return min(c for c in _WORTHY_C if precision[c] >= max(precision.values()) - _AS_GOOD)


def _worthy_head(c: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=3000))


def worthy_figures(train: Labelled, dev: Labelled) -> tuple[Pipeline, float, dict[str, Any]]:
    """Fit one 1A head; F1 beside that of TF-IDF on the dev part, and over all posts in five folds.

    The threshold for a fold comes from the other folds. The dev parts hold some 45 positives, which is too
    few to tell two models apart: the folds decide.
    """
    head = _worthy_head(best_penalty(train))
    labels = np.concatenate([train.labels, dev.labels])
    figures: dict[str, Any] = {"n": len(dev.labels), "positives": int(dev.labels.sum())}
    figures |= {"folds_n": len(labels), "folds_positives": int(labels.sum())}
    threshold = 0.5
    said: dict[str, NDArray[np.bool_]] = {}
    inputs: dict[str, tuple[Pipeline, Any, Any, Any]] = {
        "tfidf": (tfidf_baseline(True), train.texts, dev.texts, [*train.texts, *dev.texts]),
        "head": (head, train.inputs, dev.inputs, np.vstack([train.inputs, dev.inputs])),
    }
    for name, (model, kept, tested, everything) in inputs.items():
        over_all = cross_val_predict(model, everything, labels, cv=_FOLDS, method="predict_proba")[:, 1]
        said[name] = _said_in_folds(labels, over_all)
        out_of_fold = cross_val_predict(model, kept, train.labels, cv=_FOLDS, method="predict_proba")[:, 1]
        threshold = best_f1_threshold(train.labels, out_of_fold)
        scores = model.fit(kept, train.labels).predict_proba(tested)[:, 1]
        figures[name] = {
            "folds_f1": float(f1_score(labels, said[name])),
            "folds_average_precision": float(average_precision_score(labels, over_all)),
            "dev_f1": float(f1_score(dev.labels, scores >= threshold)),
            "dev_f1_interval": interval(dev.labels, scores >= threshold, f1_score),
            "dev_average_precision": float(average_precision_score(dev.labels, scores)),
        }
    figures["folds_f1_ahead_interval"] = interval(
        labels,
        np.column_stack([said["head"], said["tfidf"]]),
        lambda truth, both: f1_score(truth, both[:, 0]) - f1_score(truth, both[:, 1]),
    )
    return head, threshold, figures


def _said_in_folds(labels: NDArray[np.int64], scores: NDArray[Any]) -> NDArray[np.bool_]:
    """What scores from folds say where each fold's threshold is the best one of the other folds."""
    said = np.zeros(len(labels), bool)
    for others, fold in _FOLDS.split(scores, labels):
        said[fold] = scores[fold] >= best_f1_threshold(labels[others], scores[others])
    return said


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with claims/")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    data: Path = arguments.data
    encoder = load_encoder(threads=arguments.threads)
    cache = VectorCache(encoder)

    claim_train = {lang: load_set(data, cache, lang, CLAIM, "train") for lang in LABELLED}
    claim_dev = {lang: load_set(data, cache, lang, CLAIM, "dev") for lang in LABELLED}
    claim_dev |= {lang: load_set(data, cache, lang, CLAIM, "dev_test") for lang in TRANSFER}
    own = {language: load_own(cache, own_examples(), language) for language in LANGUAGES}
    claim_head = train_claim_head(list(claim_train.values()), list(own.values()))
    figures: dict[str, Any] = {
        "claim": claim_figures(claim_train, claim_dev, claim_head),
        "own_examples": own_example_figures(list(claim_train.values()), own),
        "parallel": parallel_consistency(data, cache, claim_head),
        "priority": {},
    }
    arrays: dict[str, Any] = {}
    thresholds: dict[str, float] = {}
    for language in LABELLED:
        head, thresholds[language], figures["priority"][language] = worthy_figures(
            load_set(data, cache, language, WORTHY, "train"), load_set(data, cache, language, WORTHY, "dev")
        )
        arrays[f"priority_{language}_weights"], bias = folded(head)
        arrays[f"priority_{language}_bias"] = np.float32(bias)
    arrays["claim_weights"], bias = folded(claim_head)
    arrays["claim_bias"] = np.float32(bias)

    WEIGHTS.mkdir(exist_ok=True)
    np.savez_compressed(WEIGHTS / "head.npz", **arrays)
    settings = {
        "model_version": "checkworthy-3",
        "encoder": encoder.model_id,
        "features": list(FEATURE_NAMES),
        "parallel_sentences": PARALLEL_SENTENCES,
        "threshold": 0.5,
        "priority_thresholds": thresholds,
    }
    (WEIGHTS / "head.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    (WEIGHTS / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    write_card(WEIGHTS / "MODEL_CARD.md", settings, figures)
    print((WEIGHTS / "MODEL_CARD.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
