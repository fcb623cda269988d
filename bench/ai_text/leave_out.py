"""What the linear detector loses on what it has not met: a generator, a language, an outlet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import roc_auc_score

from bench.ai_text.held_out import HEADLINE_WORDS, rate, table
from classifiers.ai_text.linear import LinearScorer
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.crops import cut_all
from classifiers.training.ai_text.linear_stage import fit_linear
from classifiers.training.ai_text.splits import select, unit_hash

#: Documents per language: enough for the comparison, and a fit stays under a minute.
_DOCUMENTS = 900


def _some(documents: Sequence[Document], limit: int) -> list[Document]:
    return sorted(documents, key=lambda document: unit_hash(document.id))[:limit]


def _fit(documents: Sequence[Document]) -> LinearScorer:
    return fit_linear(cut_all(documents, per_document=1, seed=3))


def _scores(scorer: LinearScorer, documents: Sequence[Document], language: str) -> np.ndarray:
    views = [" ".join(document.view.split()[:400]) for document in documents]
    return scorer.score(views, language)


def _detection(human: np.ndarray, machine: np.ndarray) -> tuple[float, int]:
    """AUROC, and how many machine texts pass the 99th percentile of the human ones."""
    truth = np.r_[np.zeros(len(human)), np.ones(len(machine))]
    threshold = np.quantile(human, 0.99)
    return float(roc_auc_score(truth, np.r_[human, machine])), int((machine > threshold).sum())


def generators(documents: Sequence[Document]) -> None:
    """Leave one generator out (ru, en): detection of its texts with and without having met it."""
    rows = []
    for language in ("ru", "en"):
        own = [document for document in documents if document.language == language and not document.attack]
        train, test = select(own, "train"), select(own, "calibration", "test")
        human = [d for d in test if d.label == "human" and d.words >= HEADLINE_WORDS][:800]
        names = sorted({d.generator for d in train if d.label == "ai"})
        for name in names:
            target = [
                d for d in test if d.label == "ai" and d.generator == name and d.words >= HEADLINE_WORDS
            ]
            if len(target) < 15:
                continue
            outcomes = []
            for known in (True, False):
                pool = [d for d in train if known or d.generator != name]
                machine = _some([d for d in pool if d.machine], _DOCUMENTS)
                scorer = _fit([*machine, *_some([d for d in pool if not d.machine], _DOCUMENTS)])
                outcomes.append(
                    _detection(_scores(scorer, human, language), _scores(scorer, target, language))
                )
            (area, hits), (area_unseen, hits_unseen) = outcomes
            rows.append(
                (
                    language,
                    name,
                    rate(hits, len(target)),
                    rate(hits_unseen, len(target)),
                    f"{100 * (hits - hits_unseen) / len(target):+.0f}",
                    f"{area:.3f} / {area_unseen:.3f}",
                )
            )
    table(
        "Leave one generator out (linear; threshold at 1% of the held-out human texts)",
        ("language", "generator", "known", "unseen", "loss in points", "AUROC known / unseen"),
        rows,
    )


def languages(documents: Sequence[Document]) -> None:
    """Leave one language out: the shared weights alone on a language they never saw."""
    rows = []
    plain = [document for document in documents if not document.attack]
    codes = sorted({document.language for document in plain})
    for language in codes:
        pool = [
            document
            for code in codes
            if code != language
            for document in _some([d for d in select(plain, "train") if d.language == code], 500)
        ]
        scorer = _fit(pool)
        test = [
            d
            for d in select(plain, "calibration", "test")
            if d.language == language and d.words >= HEADLINE_WORDS
        ]
        human = [d for d in test if d.label == "human"][:800]
        machine = [d for d in test if d.label == "ai"]
        area, hits = _detection(_scores(scorer, human, language), _scores(scorer, machine, language))
        rows.append((language, len(machine), f"{area:.3f}", rate(hits, len(machine))))
    table(
        "Leave one language out (linear, shared weights)",
        ("language", "generated texts", "AUROC", "flagged at 1%"),
        rows,
    )


def outlets(documents: Sequence[Document]) -> None:
    """Leave one human source out: false alarms on an outlet that neither training nor threshold has met."""
    rows = []
    plain = [d for d in documents if not d.attack]
    for language in sorted({d.language for d in plain}):
        own = [d for d in plain if d.language == language]
        sources = sorted({d.source for d in own if d.label == "human"})
        if len(sources) < 2:
            continue
        for source in sources:
            unseen = [
                d for d in own if d.source == source and d.label == "human" and d.words >= HEADLINE_WORDS
            ][:600]
            known = [d for d in own if d.source != source or d.label != "human"]
            threshold_texts = [
                d
                for d in select(known, "calibration", "test")
                if d.label == "human" and d.words >= HEADLINE_WORDS
            ]
            if len(unseen) < 20 or len(threshold_texts) < 40:
                continue
            scorer = _fit(_some(select(known, "train"), 2 * _DOCUMENTS))
            threshold = np.quantile(_scores(scorer, threshold_texts, language), 0.99)
            false = int((_scores(scorer, unseen, language) > threshold).sum())
            rows.append((language, source, len(threshold_texts), rate(false, len(unseen))))
    table(
        "Leave one outlet out (linear): false alarms where 1% was asked",
        ("language", "unseen source", "threshold texts", "false alarms"),
        rows,
    )
