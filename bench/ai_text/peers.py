"""A detector from PyPI on the same texts (needs the ``train`` extra)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import roc_auc_score

from bench.ai_text.held_out import HEADLINE_WORDS, one_per_document, table
from classifiers.training.ai_text.evaluation import Judged


def lmscan(judged: Sequence[Judged], per_class: int = 100) -> None:
    """AUROC and detection at 1% of the same human texts, ours and lmscan's ``ai_probability``."""
    try:
        import lmscan as peer
    except ImportError:
        print("\nlmscan is not installed: `pip install lmscan` to compare with it")
        return
    rows = []
    items = [
        item for item in one_per_document(judged, HEADLINE_WORDS) if not item.scored.crop.document.attack
    ]
    for language in sorted({item.scored.language for item in items}):
        own = [item for item in items if item.scored.language == language]
        human = [item for item in own if item.scored.human][:per_class]
        machine = [item for item in own if item.scored.crop.document.label == "ai"][:per_class]
        if not human or not machine:
            continue
        cells: list[object] = [language, len(human), len(machine)]
        truth = [0] * len(human) + [1] * len(machine)
        for scores in (
            np.array([item.standard for item in (*human, *machine)]),
            np.array([peer.scan(item.scored.crop.text).ai_probability for item in (*human, *machine)]),
        ):
            threshold = np.quantile(scores[: len(human)], 0.99)
            caught = float((scores[len(human) :] > threshold).mean())
            cells.append(f"{roc_auc_score(truth, scores):.3f} / {caught:.2f}")
        rows.append(cells)
    table(
        "Beside lmscan: AUROC / generated texts caught at 1% of these human texts",
        ("language", "human", "generated", "ours", "lmscan"),
        rows,
    )
