"""The fused detector beside its own masked linear model, and how well it names the kind of machine text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from bench.ai_text.held_out import HEADLINE_WORDS, one_per_document, table
from classifiers.ai_text import Detector
from classifiers.ai_text.encoder import KINDS
from classifiers.training.ai_text.calibrate_stage import score_crops
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.evaluation import Judged, cross_fit
from classifiers.training.ai_text.splits import select, unit_hash

_RESAMPLES = 1000


def against_linear(judged: Sequence[Judged], detector: Detector, target_fpr: float) -> None:
    """AUROC and detection of both, and the AUROC difference with its paired bootstrap interval."""
    if detector.scorer.others is None:
        print("\nOnly the linear model is installed: nothing to compare it with.")
        return
    linear = detector.scorer.linear
    crops = [item.scored.crop for item in judged]
    by_linear = score_crops(crops, lambda passages, code: linear.score([" ".join(p) for p in passages], code))
    baseline = {id(item.scored.crop): item for item in cross_fit(by_linear, target_fpr)}
    items = [i for i in one_per_document(judged, HEADLINE_WORDS) if not i.scored.crop.document.attack]
    rows = []
    for language in sorted({item.scored.language for item in items}):
        human = [item for item in items if item.scored.language == language and item.scored.human]
        for label in ("ai", "ai_rewritten"):
            machine = [
                item
                for item in items
                if item.scored.language == language and item.scored.crop.document.label == label
            ]
            if len(machine) < 3 or not human:
                continue
            both = [*human, *machine]
            truth = np.r_[np.zeros(len(human)), np.ones(len(machine))]
            ours = np.array([item.standard for item in both])
            theirs = np.array([baseline[id(item.scored.crop)].standard for item in both])
            low, high = _paired_interval(truth, ours, theirs)
            caught = sum(item.flagged for item in machine) / len(machine)
            caught_linear = sum(baseline[id(i.scored.crop)].flagged for i in machine) / len(machine)
            rows.append(
                (
                    language,
                    label,
                    len(machine),
                    f"{roc_auc_score(truth, theirs):.3f}",
                    f"{roc_auc_score(truth, ours):.3f}",
                    f"{low:+.3f} to {high:+.3f}",
                    f"{caught_linear:.2f}",
                    f"{caught:.2f}",
                )
            )
    table(
        f"Fused against linear ({target_fpr:.1%}, {HEADLINE_WORDS} words and more)",
        (
            "language",
            "label",
            "texts",
            "AUROC linear",
            "fused",
            "difference, 95%",
            "flagged, linear",
            "fused",
        ),
        rows,
    )


def _paired_interval(
    truth: NDArray[np.float64], ours: NDArray[np.float64], theirs: NDArray[np.float64]
) -> tuple[float, float]:
    """Percentile interval of the AUROC difference; texts are drawn together, classes apart."""
    generator = np.random.default_rng(5)
    human, machine = np.flatnonzero(truth == 0), np.flatnonzero(truth == 1)
    differences = []
    for _ in range(_RESAMPLES):
        drawn = np.r_[generator.choice(human, len(human)), generator.choice(machine, len(machine))]
        differences.append(
            roc_auc_score(truth[drawn], ours[drawn]) - roc_auc_score(truth[drawn], theirs[drawn])
        )
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


def kinds(documents: Sequence[Document], detector: Detector, per_cell: int = 25) -> None:
    """How often the likeliest kind is right, given a machine text."""
    if detector.scorer.others is None:
        return
    rows = []
    for language in sorted({document.language for document in documents}):
        cells = []
        for label in KINDS:
            own = [
                d
                for d in select(documents, "calibration", "test")
                if d.language == language and d.label == label and not d.attack and d.words >= HEADLINE_WORDS
            ]
            chosen = sorted(own, key=lambda d: unit_hash(d.id))[:per_cell]
            hits = 0
            for document in chosen:
                probabilities = detector.scorer.kind_probabilities(document.sentences)
                assert probabilities is not None
                hits += KINDS[int(np.argmax(probabilities))] == label
            cells.append(f"{hits}/{len(chosen)}")
        rows.append((language, *cells))
    table("Kinds: likeliest kind right", ("language", "generated", "rewritten", "translated"), rows)
