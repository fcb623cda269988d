"""Fit the fusion on scores of texts that neither the linear model nor the encoder was trained on."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
#: Texts that a class of one language counts for, however many there are. Held-out texts come from generators
#: that the models have met: a fusion fitted closely to them trusts the models too far on others, and its
#: folds differ where few human texts set the threshold (`bench.ai_text.unseen_generators`).
_CELL_TEXTS = 40.0


def encoder_scores(crops: Sequence[Crop], encoder: EncoderScorer, cache: Path) -> NDArray[np.float64]:
    """Encoder log-odds of crops, (n,), keeping what was scored before in ``cache``.

    The cache is named after the weights by the caller; half an hour of scoring is worth keeping.
    """
    known: dict[str, float] = {}
    if cache.exists():
        with np.load(cache, allow_pickle=False) as stored:
            known = dict(zip(stored["keys"].tolist(), stored["scores"].tolist(), strict=True))
    keys = [_key(crop) for crop in crops]
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


def _key(crop: Crop) -> str:
    return hashlib.blake2b(crop.text.encode(), digest_size=12).hexdigest()


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
    features: NDArray[np.float64], crops: Sequence[Crop]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Mean and deviation of the human crops per language and over all of them."""
    human = np.array([not crop.document.machine and not crop.document.attack for crop in crops])
    languages = np.array([crop.document.language for crop in crops])
    centres, spreads = {}, {}
    for language in [*np.unique(languages).tolist(), "any"]:
        members = features[human & ((languages == language) | (language == "any"))]
        centres[language] = members.mean(axis=0)
        spreads[language] = members.std(axis=0) + 1e-6
    return centres, spreads


def _balanced(crops: Sequence[Crop]) -> NDArray[np.float64]:
    """Weights that give every language and class :data:`_CELL_TEXTS`; attacked and translated texts none."""
    documents = [crop.document for crop in crops]
    used = [not document.attack and document.label != "ai_translated" for document in documents]
    counts: dict[tuple[str, bool], int] = defaultdict(int)
    for document, counted in zip(documents, used, strict=True):
        counts[(document.language, document.machine)] += counted
    return np.array(
        [
            _CELL_TEXTS * counted / max(1, counts[(document.language, document.machine)])
            for document, counted in zip(documents, used, strict=True)
        ]
    )


def _fit(witnesses: NDArray[np.float64], crops: Sequence[Crop]) -> tuple[NDArray[np.float64], float]:
    machine = np.array([crop.document.machine for crop in crops])
    weights = _balanced(crops)
    kept = weights > 0
    model = LogisticRegression(C=_PENALTY, max_iter=1000)
    model.fit(witnesses[kept], machine[kept], sample_weight=weights[kept])
    return model.coef_[0].astype(np.float64), float(model.intercept_[0])


def _views(passages: Sequence[Passage]) -> list[str]:
    return [" ".join(passage) for passage in passages]


def _paired_or_silent(
    paired: LinearScorer, passages: Sequence[Passage], language: str
) -> NDArray[np.float64]:
    scores = paired_scores(paired, _views(passages), language)
    return np.full(len(passages), np.nan) if scores is None else scores


@dataclass(frozen=True, slots=True)
class WitnessScores:
    """What the witnesses say about crops, before anybody weighs it.

    ``models``: log-odds, (n,), by the names in :data:`~classifiers.ai_text.fusion.MODELS`, NaN from a model
    that does not know the crop's language; ``features``: (n, 12).
    """

    crops: list[Crop]
    models: dict[str, NDArray[np.float64]]
    features: NDArray[np.float64]

    def take(self, members: NDArray[np.int64]) -> WitnessScores:
        """The scores on some of the crops, by their indices."""
        return WitnessScores(
            [self.crops[index] for index in members.tolist()],
            {name: scores[members] for name, scores in self.models.items()},
            self.features[members],
        )

    def by(self, name: str) -> list[ScoredCrop]:
        """The crops that one model has an opinion on, with its log-odds."""
        return [
            ScoredCrop(crop, score)
            for crop, score in zip(self.crops, self.models[name].tolist(), strict=True)
            if not np.isnan(score)
        ]


def keep_answers(path: Path, answers: WitnessScores) -> None:
    """Write what the witnesses said, whole or not at all; the name says which models they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"partial-{path.name}")
    keys = np.array([_key(crop) for crop in answers.crops])
    np.savez(partial, keys=keys, features=answers.features, **answers.models)  # type: ignore[arg-type]
    partial.replace(path)


def kept_answers(path: Path, crops: Sequence[Crop]) -> WitnessScores | None:
    """What :func:`keep_answers` wrote; None without the file, or where it is about other crops."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        if stored["keys"].tolist() != [_key(crop) for crop in crops]:
            return None
        return WitnessScores(list(crops), {name: stored[name] for name in MODELS}, stored["features"])


def ask_witnesses(
    crops: Sequence[Crop], linear: LinearScorer, paired: LinearScorer, encoder: NDArray[np.float64]
) -> WitnessScores:
    """Ask the two linear models and measure the features; the encoder's log-odds, (n,), are given."""
    linear_scored = score_crops(crops, lambda passages, code: linear.score(_views(passages), code))
    paired_scored = score_crops(crops, lambda passages, code: _paired_or_silent(paired, passages, code))
    models = {
        "linear": np.array([item.raw for item in linear_scored]),
        "paired": np.array([item.raw for item in paired_scored]),
        "encoder": encoder,
    }
    return WitnessScores(list(crops), models, np.stack([measure(crop.sentences) for crop in crops]))


def standardised(fusion: Fusion, answers: WitnessScores) -> NDArray[np.float64]:
    """The fusion's inputs, (n, 15), for crops of any languages."""
    witnesses = np.empty((len(answers.crops), len(WITNESSES)))
    languages = np.array([crop.document.language for crop in answers.crops])
    words = np.array([crop.words for crop in answers.crops], dtype=np.int64)
    for language in np.unique(languages).tolist():
        members = np.flatnonzero(languages == language)
        own = {name: odds[members] for name, odds in answers.models.items()}
        models = {name: None if np.isnan(odds).any() else odds for name, odds in own.items()}
        witnesses[members] = fusion.witnesses(models, answers.features[members], language, words[members])
    return witnesses


def fit_fusion(answers: WitnessScores) -> tuple[Fusion, list[ScoredCrop]]:
    """Fit the fusion on held-out crops.

    Returns:
        The fusion fitted on all crops, and every crop with the score of a fusion fitted without its group:
        the scores that calibration and figures may use.
    """
    crops = answers.crops
    centres, spreads = _feature_norms(answers.features, crops)
    scales = {name: _human_scale(answers.by(name)) for name in MODELS}
    fusion = Fusion(scales, centres, spreads, np.zeros(len(WITNESSES)), 0.0)
    witnesses = standardised(fusion, answers)
    fold = np.array([int(unit_hash(c.document.group, salt="tamga-ai-text-fusion") * FOLDS) for c in crops])
    out_of_fold = np.empty(len(crops))
    for index in range(FOLDS):
        others = np.flatnonzero(fold != index)
        weights, bias = _fit(witnesses[others], [crops[i] for i in others.tolist()])
        out_of_fold[fold == index] = witnesses[fold == index] @ weights + bias
    weights, bias = _fit(witnesses, crops)
    return replace(fusion, weights=weights, bias=bias), [
        ScoredCrop(crop, float(score)) for crop, score in zip(crops, out_of_fold, strict=True)
    ]
