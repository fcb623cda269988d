"""Figures on texts no model saw: detection at a bounded false-alarm rate, with exact intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv
from sklearn.metrics import roc_auc_score

from classifiers.ai_text.calibration import UNFAMILIAR_MARGIN, ConformalCalibration, ScoreScale, smallest_cell
from classifiers.training.ai_text.calibrate_stage import ScoredCrop, fit_calibration, standardise
from classifiers.training.ai_text.splits import unit_hash


@dataclass(frozen=True, slots=True)
class Judged:
    """A held-out crop under a calibration it took no part in."""

    scored: ScoredCrop
    standard: float
    probability: float
    p_value: float
    abstained: bool
    target_fpr: float

    @property
    def flagged(self) -> bool:
        return not self.abstained and self.p_value <= self.target_fpr


def upper_bound(hits: int, n: int, confidence: float = 0.95) -> float:
    """One-sided Clopper-Pearson upper bound on a rate."""
    return 1.0 if hits >= n else float(betaincinv(hits + 1, n - hits, confidence))


def interval(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided Clopper-Pearson interval on a rate."""
    if n == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(betaincinv(hits, n - hits + 1, tail))
    high = 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 1 - tail))
    return low, high


def judge(
    scored: Sequence[ScoredCrop], scale: ScoreScale, conformal: ConformalCalibration, target_fpr: float
) -> list[Judged]:
    """Apply a fitted calibration to held-out crops."""
    standard = standardise(scored, scale)
    found = []
    for item, position in zip(scored, standard.tolist(), strict=True):
        chance = float(scale.probability(np.array([position]), item.language)[0])
        cell, p_value = conformal.p_value(item.language, item.crop.words, position, target_fpr)
        found.append(
            Judged(
                item,
                position,
                chance,
                p_value,
                cell.n < smallest_cell(target_fpr),
                target_fpr,
            )
        )
    return found


def cross_fit(
    scored: Sequence[ScoredCrop], target_fpr: float, folds: int = 5, margin: float = UNFAMILIAR_MARGIN
) -> list[Judged]:
    """Judge every held-out crop by a calibration fitted on the other folds' groups."""
    fold = np.array(
        [int(unit_hash(item.crop.document.group, salt="tamga-ai-text-cross-fit") * folds) for item in scored]
    )
    judged: list[Judged | None] = [None] * len(scored)
    for index in range(folds):
        others = [item for item, place in zip(scored, fold, strict=True) if place != index]
        scale, conformal = fit_calibration(others)
        conformal = replace(conformal, margin=margin)
        members = np.flatnonzero(fold == index).tolist()
        for position, result in zip(
            members, judge([scored[i] for i in members], scale, conformal, target_fpr), strict=True
        ):
            judged[position] = result
    return [result for result in judged if result is not None]


def auroc(human: Sequence[Judged], machine: Sequence[Judged]) -> float:
    """Area under the ROC curve of the standardised scores; NaN without both classes."""
    if not human or not machine:
        return float("nan")
    truth = [0] * len(human) + [1] * len(machine)
    return float(roc_auc_score(truth, [item.standard for item in (*human, *machine)]))


def expected_calibration_error(
    probability: NDArray[np.float64], machine: NDArray[np.bool_], bins: int = 10
) -> float:
    """ECE over equal-width bins, both classes weighted to the same total (Guo et al. 2017)."""
    weights = np.where(machine, 0.5 / max(1, machine.sum()), 0.5 / max(1, (~machine).sum()))
    place = np.minimum((probability * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        members = place == index
        mass = weights[members].sum()
        if mass > 0:
            confidence = np.average(probability[members], weights=weights[members])
            accuracy = np.average(machine[members], weights=weights[members])
            error += mass * abs(confidence - accuracy)
    return float(error)


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """Detection of one kind of machine text in one language."""

    label: str
    n: int
    auroc: float
    detected: int

    @property
    def rate(self) -> float:
        return self.detected / self.n


@dataclass(frozen=True, slots=True)
class LanguageFigures:
    """What the card says about one language; ``sources`` maps a human source to (false alarms, texts)."""

    language: str
    human: int
    false_alarms: int
    ece: float
    abstained: float
    labels: tuple[LabelFigures, ...]
    sources: dict[str, tuple[int, int]]

    @property
    def fpr(self) -> float:
        return self.false_alarms / max(1, self.human)

    @property
    def fpr_upper(self) -> float:
        return upper_bound(self.false_alarms, self.human)


def figures(judged: Sequence[Judged], *, at_least_words: int = 100) -> list[LanguageFigures]:
    """Per-language figures over unattacked texts of ``at_least_words`` words and more, one per document."""
    longest: dict[str, Judged] = {}
    for item in judged:
        document = item.scored.crop.document
        if document.attack or item.scored.crop.words < at_least_words:
            continue
        known = longest.get(document.id)
        if known is None or known.scored.crop.words < item.scored.crop.words:
            longest[document.id] = item
    found = []
    for language in sorted({item.scored.language for item in longest.values()}):
        own = [item for item in longest.values() if item.scored.language == language]
        human = [item for item in own if item.scored.human]
        labels = []
        for label in ("ai", "ai_rewritten", "ai_translated"):
            machine = [item for item in own if item.scored.crop.document.label == label]
            if machine and human:
                detected = sum(item.flagged for item in machine)
                labels.append(LabelFigures(label, len(machine), auroc(human, machine), detected))
        sources: dict[str, tuple[int, int]] = {}
        for item in human:
            alarms, total = sources.get(item.scored.crop.document.source, (0, 0))
            sources[item.scored.crop.document.source] = (alarms + item.flagged, total + 1)
        counted = [item for item in own if item.scored.crop.document.label != "ai_translated"]
        found.append(
            LanguageFigures(
                language,
                len(human),
                sum(item.flagged for item in human),
                expected_calibration_error(
                    np.array([item.probability for item in counted]),
                    np.array([not item.scored.human for item in counted]),
                ),
                sum(item.abstained for item in own) / max(1, len(own)),
                tuple(labels),
                sources,
            )
        )
    return found
