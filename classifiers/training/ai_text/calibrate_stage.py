"""Fit the scale, the conformal cells, the map to probabilities and the feature norms."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from classifiers.ai_text.calibration import (
    BIN_EDGES,
    BIN_NAMES,
    SHORTEST_WORDS,
    ConformalCalibration,
    ScoreScale,
    curve_features,
    length_bin,
)
from classifiers.ai_text.features import FEATURES, measure
from classifiers.ai_text.fusion import Passage
from classifiers.ai_text.norms import LENGTH_SPLIT, LENGTHS, QUANTILES, FeatureNorms
from classifiers.training.ai_text.corpus import SHUFFLED_SOURCES, Document
from classifiers.training.ai_text.crops import Crop, cut

#: texts (sentence views) of one language -> raw log-odds
Scorer = Callable[[Sequence[Passage], str], NDArray[np.float64]]

_LONGEST_WORDS = 900
#: The weight of a class of one language when the curve to probabilities is fitted, in texts.
_CURVE_TEXTS: Final = 50.0
#: Below this AUROC distance from chance a feature says nothing about the class.
_TELLING = 0.1


@dataclass(frozen=True, slots=True)
class ScoredCrop:
    """A held-out crop with its raw score."""

    crop: Crop
    raw: float

    @property
    def language(self) -> str:
        return self.crop.document.language

    @property
    def human(self) -> bool:
        return not self.crop.document.machine


def length_crops(documents: Sequence[Document], *, seed: int = 7) -> list[Crop]:
    """One crop of every document for each length bin it can fill, its own whole length included.

    One per document and bin: texts within a cell stay independent, as conformal p-values need.
    """
    crops: list[Crop] = []
    for document in documents:
        if document.words < SHORTEST_WORDS:
            continue
        generator = random.Random(f"{seed}:{document.id}")  # noqa: S311 - sampling, not secrecy
        own = length_bin(document.words)
        for index in range(own):
            upper = BIN_EDGES[index + 1]
            crop = cut(document, generator.randint(BIN_EDGES[index] + 8, upper - 8), generator)
            if length_bin(crop.words) == index and crop.words >= SHORTEST_WORDS:
                crops.append(crop)
        whole = cut(document, _LONGEST_WORDS, generator)
        if length_bin(whole.words) == own:
            crops.append(whole)
    return crops


def score_crops(crops: Sequence[Crop], scorer: Scorer, batch: int = 256) -> list[ScoredCrop]:
    """Score crops language by language, in the order given."""
    raw = np.empty(len(crops))
    members: dict[str, list[int]] = defaultdict(list)
    for index, crop in enumerate(crops):
        members[crop.document.language].append(index)
    for language, indices in members.items():
        for start in range(0, len(indices), batch):
            part = indices[start : start + batch]
            raw[part] = scorer([crops[index].sentences for index in part], language)
    return [ScoredCrop(crop, float(score)) for crop, score in zip(crops, raw, strict=True)]


def fit_calibration(scored: Sequence[ScoredCrop]) -> tuple[ScoreScale, ConformalCalibration]:
    """Fit the scale and the cells on human crops, the map to probabilities on both classes.

    Attacked texts take no part: what calibration promises, it promises for ordinary human texts.
    """
    human = [item for item in scored if item.human and not item.crop.document.attack]
    if not human:
        raise ValueError("calibration needs human texts")
    scale = ScoreScale.fit(
        np.array([item.raw for item in human]),
        [item.language for item in human],
        [item.crop.words for item in human],
    )
    cells: dict[tuple[str, str], list[float]] = defaultdict(list)
    for item, standard in zip(human, standardise(human, scale), strict=True):
        cells[(item.language, BIN_NAMES[length_bin(item.crop.words)])].append(float(standard))
    conformal = ConformalCalibration({key: np.sort(np.array(values)) for key, values in cells.items()})
    return with_probability(scale, scored), conformal


def standardise(scored: Sequence[ScoredCrop], scale: ScoreScale) -> NDArray[np.float64]:
    """Standardised scores of crops of any languages, in order."""
    found = np.empty(len(scored))
    for index, item in enumerate(scored):
        found[index] = scale.standardise(
            np.array([item.raw]), item.language, np.array([item.crop.words], dtype=np.int64)
        )[0]
    return found


def with_probability(scale: ScoreScale, scored: Sequence[ScoredCrop]) -> ScoreScale:
    """Fit the curves to probabilities: one in which languages and classes count alike, and from it one per
    language (Platt 1999, with a bend). Translations are left out.
    """
    used = [
        item
        for item in scored
        if not item.crop.document.attack and item.crop.document.label != "ai_translated"
    ]
    languages = np.array([item.language for item in used])
    machine = np.array([not item.human for item in used])
    standard = standardise(used, scale)
    # Every class of every language weighs as much as this many texts.
    weights = np.zeros(len(used))
    both = []
    for language in np.unique(languages):
        own = languages == language
        if machine[own].any() and not machine[own].all():
            both.append(str(language))
            for kind in (True, False):
                weights[own & (machine == kind)] = _CURVE_TEXTS / (own & (machine == kind)).sum()
    if not both:
        return scale
    shared = _fit_curve(standard, machine, weights, scale.curves["any"], penalty=1e-3)
    curves = {"any": shared}
    for language in both:
        own = languages == language
        curves[language] = _fit_curve(standard[own], machine[own], weights[own], shared, penalty=1.0)
    return replace(scale, curves=curves)


def _fit_curve(
    standard: NDArray[np.float64],
    machine: NDArray[np.bool_],
    weights: NDArray[np.float64],
    start: NDArray[np.float64],
    *,
    penalty: float,
) -> NDArray[np.float64]:
    """Weighted logistic fit of a rising curve, held near ``start`` by ``penalty``."""
    features = np.column_stack([curve_features(standard), np.ones(len(standard))])

    def loss(curve: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = features @ curve
        distance = curve - start
        value = weights @ (np.logaddexp(0.0, logits) - machine * logits) + penalty / 2 * distance @ distance
        gradient = features.T @ (weights * (expit(logits) - machine)) + penalty * distance
        return float(value), gradient

    bounds = [(1e-2, None), (0.0, None), (None, None)]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def fit_norms(documents: Sequence[Document]) -> FeatureNorms:
    """Measure all unattacked documents and tabulate the human ones, per language and length.

    Runs of shuffled sentences are no articles and are left out wherever other human texts exist.
    """
    rows: dict[tuple[str, str, bool], list[NDArray[np.float64]]] = defaultdict(list)
    for document in documents:
        if document.attack or document.words < SHORTEST_WORDS or document.source in SHUFFLED_SOURCES:
            continue
        length = LENGTHS[document.words >= LENGTH_SPLIT]
        rows[(document.language, length, document.machine)].append(measure(document.sentences))
    quantiles: dict[tuple[str, str], NDArray[np.float64]] = {}
    direction: dict[str, NDArray[np.int8]] = {}
    for language in sorted({key[0] for key in rows}):
        pooled = {machine: _stack(rows, language, LENGTHS, machine) for machine in (False, True)}
        for length in LENGTHS:
            human = _stack(rows, language, (length,), False)
            table = human if len(human) >= 30 else pooled[False]
            if len(table):
                quantiles[(language, length)] = np.quantile(table, QUANTILES, axis=0).T
        direction[language] = _directions(pooled[False], pooled[True])
    return FeatureNorms(quantiles, direction)


def _stack(
    rows: dict[tuple[str, str, bool], list[NDArray[np.float64]]],
    language: str,
    lengths: Sequence[str],
    machine: bool,
) -> NDArray[np.float64]:
    found = [row for length in lengths for row in rows.get((language, length, machine), [])]
    return np.stack(found) if found else np.zeros((0, len(FEATURES)))


def _directions(human: NDArray[np.float64], machine: NDArray[np.float64]) -> NDArray[np.int8]:
    """+1, -1 or 0 per feature: on which side of the human texts the machine texts lie, if on either."""
    if not len(human) or not len(machine):
        return np.zeros(len(FEATURES), dtype=np.int8)
    truth = np.r_[np.zeros(len(human)), np.ones(len(machine))]
    values = np.concatenate([human, machine])
    aurocs = np.array([roc_auc_score(truth, values[:, index]) for index in range(len(FEATURES))])
    return np.where(np.abs(aurocs - 0.5) < _TELLING, 0, np.sign(aurocs - 0.5)).astype(np.int8)
