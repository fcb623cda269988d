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
from classifiers.training.stance import TrainingCorpus, held_out_english, macro_f1, measured, row_interval
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


def best_shifts(probabilities: Floats, stances: NDArray[np.int64]) -> Floats:
    """What to add to each stance's log-probability for the highest macro-F1: as many numbers as the cosine's
    cuts, tuned in the same way. Stances that the set has not are never said.
    """
    present = sorted(set(stances.tolist()))
    steps = np.arange(-3, 3.01, 0.2)
    best, chosen = -1.0, np.zeros(len(STANCES), np.float32)
    for contradicts in steps:
        for nothing in steps if 2 in present else (-np.inf,):
            shifts = np.array([0.0, contradicts, nothing], np.float32)
            value = macro_f1(stances, shifted(probabilities, shifts), present)
            if value > best:
                best, chosen = value, shifts
    return chosen


def shifted(probabilities: Floats, shifts: Floats) -> NDArray[np.int64]:
    """The most probable stance after ``shifts``."""
    return np.asarray((np.log(probabilities + 1e-9) + shifts).argmax(axis=1))


def english(
    data: Path, cache: VectorCache, tuning: dict[str, tuple[Floats, NDArray[np.int64]]]
) -> dict[str, Any]:
    """Macro-F1 over the stances a set has, for its development claims: of the head as it serves, of its
    probabilities with shifts tuned on the set, and of a cosine of the published encoder with tuned cuts.

    ``tuning``: per set probabilities and stances of pairs that the head was not trained on.
    """
    model = StanceModel.load()
    published = VectorCache(load_encoder(adapted=False))
    figures: dict[str, Any] = {}
    for name in ENGLISH:
        train, dev = english_set(data, name, "encoder", "head"), english_set(data, name, "dev")
        stances = np.array([p.stance for p in dev])
        low, high = best_thresholds(cosines_of(train, published), np.array([p.stance for p in train]))
        results = model.compare([p.pair for p in dev], cosines_of(dev, cache))
        said = np.array([STANCES.index(result.stance) for result in results])
        scores = np.array([[result.scores[stance] for stance in STANCES] for result in results], np.float32)
        tuned = shifted(scores, best_shifts(*tuning[name]))
        groups = np.array([p.group for p in dev])
        present = sorted(set(stances.tolist()))
        figures[name] = {
            "n": len(dev),
            "stances": len(present),
            "head": macro_f1(stances, said, present),
            "head_interval": row_interval(stances, said, groups, present),
            "tuned": macro_f1(stances, tuned, present),
            "tuned_interval": row_interval(stances, tuned, groups, present),
            "cosine": macro_f1(stances, by_thresholds(cosines_of(dev, published), low, high), present),
        }
    dev = hungarian_set(data, "dev")
    supported = np.array([p.stance == 0 for p in dev])
    supports = np.array(
        [r.scores["supports"] for r in model.compare([p.pair for p in dev], cosines_of(dev, cache))]
    )
    figures["hu-rte"] = {"n": len(dev), "accuracy": float(np.mean((supports >= 0.5) == supported))}
    return figures


def measure(data: Path, cache: VectorCache) -> dict[str, Any]:
    """Every stance figure."""
    corpus = TrainingCorpus.read(data, cache, ReadingCache(CrossEncoder.load()))
    temperature, caution, written = measured(corpus)
    numbers, probabilities = held_out_english(corpus, temperature, caution)
    kinds = np.array([corpus.pairs[number].kind for number in numbers])
    stances = corpus.stances[numbers]
    tuning = {name: (probabilities[kinds == name], stances[kinds == name]) for name in ENGLISH}
    return {"written": written, "english": english(data, cache, tuning)}


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
        "| English set | n | stances | head as it serves | head, shifts tuned on the set "
        "| cosine, cuts tuned on the set |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in figures["english"].items():
        if "head" in row:
            ours = " | ".join(
                f"{row[form]:.3f} ({row[f'{form}_interval'][0]:.2f}–{row[f'{form}_interval'][1]:.2f})"
                for form in ("head", "tuned")
            )
            lines.append(f"| {name} | {row['n']} | {row['stances']} | {ours} | {row['cosine']:.3f} |")
    rte = figures["english"]["hu-rte"]
    lines += [
        "",
        f"Hungarian entailment (supported or not, {rte['n']} pairs): accuracy {rte['accuracy']:.3f}.",
    ]
    return "\n".join(lines)
