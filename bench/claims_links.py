"""Match probabilities on documents that no curve was fitted on: precision, recall and false links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from classifiers.training.match import hold_out
from classifiers.training.vectors import VectorCache


def measure(data: Path, cache: VectorCache) -> dict[str, Any]:
    """Figures at both thresholds, on documents that neither curves nor thresholds have seen."""
    settings, figures = hold_out(data, cache)
    return {"thresholds": {k: settings[f"{k}_threshold"] for k in ("suggest", "link")}, **figures}


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        "| threshold | probability | precision | recall | linked, own record absent | linked, story absent |",
        "|---|---|---|---|---|---|",
    ]
    for name, threshold in figures["thresholds"].items():
        f = figures[name]
        lines.append(
            f"| {name} | {threshold:.2f} | {f['precision']:.3f} | {f['recall']:.3f} "
            f"| {f['false_same_story']:.3f} (worst pair {f['false_same_story_worst']:.3f}) "
            f"| {f['false_other_story']:.3f} (worst pair {f['false_other_story_worst']:.3f}) |"
        )
    errors = list(figures["calibration_error"].values())
    error = f"{np.mean(errors):.3f} on average over pairs of languages, {max(errors):.3f} at worst"
    lines += ["", f"Calibration error: {error}."]
    return "\n".join(lines)
