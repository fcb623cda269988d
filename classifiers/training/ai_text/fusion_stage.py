"""Fit the fusion on scores of texts that neither the linear model nor the encoder was trained on."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from classifiers.ai_text.calibration import ScoreScale
from classifiers.ai_text.encoder import EncoderScorer
from classifiers.ai_text.features import measure
from classifiers.ai_text.fusion import MODELS, WITNESSES, Fusion, Passage, paired_scores
from classifiers.ai_text.linear import LinearScorer
from classifiers.training.ai_text.calibrate_stage import ScoredCrop, score_crops, with_probability
from classifiers.training.ai_text.crops import Crop
from classifiers.training.ai_text.splits import unit_hash

FOLDS = 5
_PENALTY = 1.0


def encoder_scores(crops: Sequence[Crop], encoder: EncoderScorer, cache: Path) -> NDArray[np.float64]:
    """Encoder log-odds of crops, (n,), keeping what was scored before in ``cache``.

    The cache is named after the weights by the caller; half an hour of scoring is worth keeping.
    """
    known: dict[str, float] = {}
    if cache.exists():
        with np.load(cache, allow_pickle=False) as stored:
            known = dict(zip(stored["keys"].tolist(), stored["scores"].tolist(), strict=True))
    keys = [hashlib.blake2b(crop.text.encode(), digest_size=12).hexdigest() for crop in crops]
    missing = {key: crop.text for key, crop in zip(keys, crops, strict=True) if key not in known}
    waiting = sorted(missing.items(), key=lambda item: len(item[1]))
    for start in tqdm(range(0, len(waiting), 64), desc="encoder scores", disable=not waiting, mininterval=5):
        part = waiting[start : start + 64]
        for (key, _), windows in zip(part, encoder.score([text for _, text in part]), strict=True):
            known[key] = windows.logit
        if start % 6400 == 0:
            _store(cache, known)
    _store(cache, known)
    return np.array([known[key] for key in keys])


def _store(cache: Path, known: dict[str, float]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    partial = cache.with_name(f"partial-{cache.name}")
    np.savez(partial, keys=np.array(list(known)), scores=np.array(list(known.values())))
    partial.replace(cache)


def _human_scale(scored: Sequence[ScoredCrop]) -> ScoreScale:
    human = [item for item in scored if item.human and not item.crop.document.attack]
    scale = ScoreScale.fit(
        np.array([item.raw for item in human]),
        [item.language for item in human],
        [item.crop.words for item in human],
    )
    return with_probability(scale, scored)


def _feature_norms(
    features: NDArray[np.float64], scored: Sequence[ScoredCrop]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Mean and deviation of the human crops per language and over all of them."""
    human = np.array([item.human and not item.crop.document.attack for item in scored])
    languages = np.array([item.language for item in scored])
    centres, spreads = {}, {}
    for language in [*np.unique(languages).tolist(), "any"]:
        members = features[human & ((languages == language) | (language == "any"))]
        centres[language] = members.mean(axis=0)
        spreads[language] = members.std(axis=0) + 1e-6
    return centres, spreads


def _balanced(scored: Sequence[ScoredCrop]) -> NDArray[np.float64]:
    """Weights that give every language and class the same say; attacked and translated texts none."""
    used = [not item.crop.document.attack and item.crop.document.label != "ai_translated" for item in scored]
    counts: dict[tuple[str, bool], int] = defaultdict(int)
    for item, counted in zip(scored, used, strict=True):
        counts[(item.language, item.human)] += counted
    weights = np.array(
        [
            counted / max(1, counts[(item.language, item.human)])
            for item, counted in zip(scored, used, strict=True)
        ]
    )
    return np.asarray(weights / weights[weights > 0].mean())


def _fit(witnesses: NDArray[np.float64], scored: Sequence[ScoredCrop]) -> tuple[NDArray[np.float64], float]:
    machine = np.array([not item.human for item in scored])
    weights = _balanced(scored)
    kept = weights > 0
    model = LogisticRegression(C=_PENALTY, max_iter=1000)
    model.fit(witnesses[kept], machine[kept], sample_weight=weights[kept])
    return model.coef_[0].astype(np.float64), float(model.intercept_[0])


def _views(passages: Sequence[Passage]) -> list[str]:
    return [" ".join(passage) for passage in passages]


def _paired_or_zero(paired: LinearScorer, passages: Sequence[Passage], language: str) -> NDArray[np.float64]:
    scores = paired_scores(paired, _views(passages), language)
    return np.zeros(len(passages)) if scores is None else scores


def fit_fusion(
    crops: Sequence[Crop], linear: LinearScorer, paired: LinearScorer, encoder: NDArray[np.float64]
) -> tuple[Fusion, list[ScoredCrop]]:
    """Fit the fusion on held-out crops.

    Args:
        linear, paired: the masked and the paired model.
        encoder: the encoder's log-odds of ``crops``, (n,).

    Returns:
        The fusion fitted on all crops, and every crop with the score of a fusion fitted without its group:
        the scores that calibration and figures may use.
    """
    scored = {
        "linear": score_crops(crops, lambda passages, code: linear.score(_views(passages), code)),
        "paired": score_crops(crops, lambda passages, code: _paired_or_zero(paired, passages, code)),
        "encoder": [ScoredCrop(crop, float(score)) for crop, score in zip(crops, encoder, strict=True)],
    }
    by_linear = scored["linear"]
    features = np.stack([measure(crop.sentences) for crop in crops])
    centres, spreads = _feature_norms(features, by_linear)
    known = [item for item in scored["paired"] if item.language in paired.languages]
    scales = {name: _human_scale(known if name == "paired" else scored[name]) for name in MODELS}
    fusion = Fusion(scales, centres, spreads, np.zeros(len(WITNESSES)), 0.0)
    raw = {name: np.array([item.raw for item in scored[name]]) for name in MODELS}
    witnesses = np.empty((len(crops), len(WITNESSES)))
    for language in {crop.document.language for crop in crops}:
        members = [index for index, crop in enumerate(crops) if crop.document.language == language]
        models = {
            name: None if name == "paired" and language not in paired.languages else raw[name][members]
            for name in MODELS
        }
        witnesses[members] = fusion.witnesses(
            models,
            features[members],
            language,
            np.array([crops[index].words for index in members], dtype=np.int64),
        )
    fold = np.array([int(unit_hash(c.document.group, salt="tamga-ai-text-fusion") * FOLDS) for c in crops])
    out_of_fold = np.empty(len(crops))
    for index in range(FOLDS):
        others = np.flatnonzero(fold != index)
        weights, bias = _fit(witnesses[others], [by_linear[i] for i in others.tolist()])
        out_of_fold[fold == index] = witnesses[fold == index] @ weights + bias
    weights, bias = _fit(witnesses, by_linear)
    return replace(fusion, weights=weights, bias=bias), [
        ScoredCrop(crop, float(score)) for crop, score in zip(crops, out_of_fold, strict=True)
    ]
