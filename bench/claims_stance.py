"""Stance: the written variants held out by row, and the English evidence sets against a cosine with
thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.models import load_encoder
from classifiers.stance import STANCES, StanceModel
from classifiers.stance.cross_encoder import CrossEncoder
from classifiers.training.stance import held_out_written, macro_f1, row_interval
from classifiers.training.stance_pairs import LabelledPair
from classifiers.training.stance_sets import ENGLISH, english_set, hungarian_set
from classifiers.training.vectors import ReadingCache, VectorCache

Floats = NDArray[np.float32]


def cosines_of(pairs: Sequence[LabelledPair], cache: VectorCache) -> Floats:
    """Cosine of claim and evidence."""
    claims = cache.encode([p.pair.claim for p in pairs])
    return np.asarray(np.sum(claims * cache.encode([p.pair.evidence for p in pairs]), axis=1))


def best_thresholds(cosines: Floats, stances: NDArray[np.int64]) -> tuple[float, float]:
    """Two cuts in the cosine (nothing, contradicts, supports) with the highest macro-F1: a baseline tuned on
    its own training part.
    """
    cuts = np.quantile(cosines, np.linspace(0, 1, 41))
    best, chosen = -1.0, (0.0, 0.0)
    for low in cuts:
        for high in cuts[cuts >= low]:
            value = macro_f1(stances, by_thresholds(cosines, low, high))
            if value > best:
                best, chosen = value, (float(low), float(high))
    return chosen


def by_thresholds(cosines: Floats, low: float, high: float) -> NDArray[np.int64]:
    """Supports above ``high``, nothing below ``low``, contradicts between."""
    return np.where(cosines >= high, 0, np.where(cosines < low, 2, 1))


def english(data: Path, cache: VectorCache) -> dict[str, Any]:
    """Macro-F1 over the stances a set has, for its development claims, beside a cosine of the published
    encoder.
    """
    model = StanceModel.load()
    published = VectorCache(load_encoder(adapted=False))
    figures: dict[str, Any] = {}
    for name in ENGLISH:
        train, dev = english_set(data, name, "encoder", "head"), english_set(data, name, "dev")
        stances = np.array([p.stance for p in dev])
        low, high = best_thresholds(cosines_of(train, published), np.array([p.stance for p in train]))
        cosines = cosines_of(dev, cache)
        said = np.array([STANCES.index(r.stance) for r in model.compare([p.pair for p in dev], cosines)])
        groups = np.array([p.group for p in dev])
        figures[name] = {
            "n": len(dev),
            "stances": len(set(stances.tolist())),
            "head": present_f1(stances, said),
            "head_interval": row_interval(stances, said, groups, sorted(set(stances.tolist()))),
            "cosine": present_f1(stances, by_thresholds(cosines_of(dev, published), low, high)),
        }
    dev = hungarian_set(data, "dev")
    supported = np.array([p.stance == 0 for p in dev])
    scores = np.array(
        [r.scores["supports"] for r in model.compare([p.pair for p in dev], cosines_of(dev, cache))]
    )
    figures["hu-rte"] = {"n": len(dev), "accuracy": float(np.mean((scores >= 0.5) == supported))}
    return figures


def present_f1(stances: NDArray[Any], said: NDArray[Any]) -> float:
    """Macro-F1 over the stances that occur in the set."""
    present = sorted(set(stances.tolist()))
    return macro_f1(stances, said, present)


def measure(data: Path, cache: VectorCache) -> dict[str, Any]:
    """Every stance figure."""
    readings = ReadingCache(CrossEncoder.load())
    return {"written": held_out_written(data, cache, readings), "english": english(data, cache)}


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    kinds = ("paraphrase", "weaker", "number", "entity", "negation", "related")
    lines = [
        "| evidence | macro-F1 | worst language | " + " | ".join(kinds) + " |",
        "|---|---|---|" + "---|" * len(kinds),
    ]
    for name, case in figures["written"]["cases"].items():
        low, high = case["macro_f1_interval"]
        worst = min(case["languages"], key=case["languages"].get)
        shares = " | ".join(f"{case['said_contradicts'][kind]:.2f}" for kind in kinds)
        f1 = f"{case['macro_f1']:.3f} ({low:.2f}–{high:.2f})"
        lines.append(f"| {name} | {f1} | {worst} {case['languages'][worst]:.2f} | {shares} |")
    lines += [
        "",
        "| English set | n | stances | head | cosine with two thresholds |",
        "|---|---|---|---|---|",
    ]
    for name, row in figures["english"].items():
        if "head" in row:
            low, high = row["head_interval"]
            f1 = f"{row['head']:.3f} ({low:.2f}–{high:.2f})"
            lines.append(f"| {name} | {row['n']} | {row['stances']} | {f1} | {row['cosine']:.3f} |")
    rte = figures["english"]["hu-rte"]
    lines += [
        "",
        f"Hungarian entailment (supported or not, {rte['n']} pairs): accuracy {rte['accuracy']:.3f}.",
    ]
    return "\n".join(lines)
