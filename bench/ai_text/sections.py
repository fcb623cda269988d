"""Sections that read one set of cross-fitted verdicts: lengths, sources, attacks, shortcuts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from bench.ai_text.held_out import HEADLINE_WORDS, alarms, one_per_document, rate, table
from classifiers.ai_text.calibration import BIN_EDGES, BIN_NAMES
from classifiers.training.ai_text.calibrate_stage import ScoredCrop
from classifiers.training.ai_text.card import figures_table, source_table
from classifiers.training.ai_text.corpus import read_rows, repair
from classifiers.training.ai_text.evaluation import Judged, auroc, cross_fit, figures
from classifiers.training.ai_text.shortcuts import PROBES, audit, word_probe
from classifiers.training.ai_text.splits import unit_hash

_LABELS = ("ai", "ai_rewritten", "ai_translated")


def headline(judged: Sequence[Judged], target_fpr: float) -> list[dict[str, object]]:
    """Per language and label; returns the figures for ``--json``."""
    found = figures(judged, at_least_words=HEADLINE_WORDS)
    print(f"\n## Detection at {target_fpr:.1%} false alarms, {HEADLINE_WORDS} words and more\n")
    print(figures_table(found))
    print("\n## False alarms by source\n")
    print(source_table(found))
    return [
        {
            "language": row.language,
            "human": row.human,
            "false_alarms": row.false_alarms,
            "fpr_upper": row.fpr_upper,
            "ece": row.ece,
            "abstained": row.abstained,
            "labels": {
                item.label: {"n": item.n, "auroc": item.auroc, "tpr": item.rate} for item in row.labels
            },
        }
        for row in found
    ]


def targets(scored: Sequence[ScoredCrop]) -> None:
    """Detection, false alarms and abstention at the three selectable rates."""
    rows = []
    for target in (0.05, 0.01, 0.001):
        judged = [
            item
            for item in one_per_document(cross_fit(scored, target), HEADLINE_WORDS)
            if not item.scored.crop.document.attack
        ]
        for language in sorted({item.scored.language for item in judged}):
            own = [item for item in judged if item.scored.language == language]
            human = [item for item in own if item.scored.human]
            machine = [item for item in own if item.scored.crop.document.label == "ai"]
            abstained = sum(item.abstained for item in own) / len(own)
            hits = sum(item.flagged for item in machine)
            rows.append(
                (f"{target:.1%}", language, rate(hits, len(machine)), alarms(human), f"{abstained:.0%}")
            )
    table(
        "Selectable rates",
        ("target", "language", "generated, flagged", "false alarms", "abstained"),
        rows,
    )


def margins(scored: Sequence[ScoredCrop], target_fpr: float) -> None:
    """What a wider margin costs in detection and gains in false alarms (ADR 7)."""
    rows = []
    for margin in (0.0, 0.1, 0.2, 0.3, 0.5):
        judged = [
            item
            for item in one_per_document(cross_fit(scored, target_fpr, margin=margin), HEADLINE_WORDS)
            if not item.scored.crop.document.attack
        ]
        for language in sorted({item.scored.language for item in judged}):
            own = [item for item in judged if item.scored.language == language]
            machine = [item for item in own if item.scored.crop.document.label == "ai"]
            hits = sum(item.flagged for item in machine)
            rows.append(
                (margin, language, rate(hits, len(machine)), alarms([i for i in own if i.scored.human]))
            )
    table(
        f"Margins, in human standard deviations ({target_fpr:.1%})",
        ("margin", "language", "generated, flagged", "false alarms"),
        rows,
    )


def lengths(judged: Sequence[Judged]) -> None:
    """Detection and false alarms by length bin."""
    rows = []
    edges = [*BIN_EDGES, 10**9]
    for name, low, high in zip(BIN_NAMES, edges, edges[1:], strict=False):
        items = [
            item
            for item in one_per_document(judged, low, high)
            if not item.scored.crop.document.attack and item.scored.crop.document.label != "ai_translated"
        ]
        for language in sorted({item.scored.language for item in items}):
            own = [item for item in items if item.scored.language == language]
            human = [item for item in own if item.scored.human]
            machine = [item for item in own if not item.scored.human]
            if human and machine:
                hits = sum(item.flagged for item in machine)
                rows.append(
                    (name, language, rate(hits, len(machine)), f"{auroc(human, machine):.3f}", alarms(human))
                )
    table("By length", ("words", "language", "flagged", "AUROC", "false alarms"), rows)


def attacks(judged: Sequence[Judged]) -> None:
    """English attacks that the corpus brings along, against unattacked texts."""
    english = [item for item in one_per_document(judged, HEADLINE_WORDS) if item.scored.language == "en"]
    groups: dict[str, list[Judged]] = defaultdict(list)
    for item in english:
        groups[item.scored.crop.document.attack].append(item)
    plain_human = [item for item in groups[""] if item.scored.human]
    rows = []
    for attack in sorted(groups):
        machine = [item for item in groups[attack] if not item.scored.human]
        human = [item for item in groups[attack] if item.scored.human]
        hits = sum(item.flagged for item in machine)
        area = f"{auroc(plain_human, machine):.3f}" if machine else "-"
        rows.append((attack or "none", rate(hits, len(machine)), area, alarms(human)))
    table(
        "Attacks in the corpus (English)",
        ("attack", "flagged", "AUROC against plain human texts", "attacked human texts flagged"),
        rows,
    )


def shortcuts(data: Path, languages: Sequence[str], per_class: int = 250) -> float:
    """Separation of the classes by habits of the collections, raw and through the view; returns the worst."""
    rows = []
    worst = 0.5
    for language in languages:
        human: list[str] = []
        machine: list[str] = []
        for row in sorted(read_rows(data, language), key=lambda row: unit_hash(row["id"])):
            # Attacked texts and annotated treebanks are no text as anybody would send it.
            if "/" in row["domain"] or row["source"] == "apertium-kdt-kk":
                continue
            side = human if row["label"] == "human" else machine
            if len(side) < per_class:
                side.append(row["text"])
        probes = {**PROBES, "milli.az": word_probe("milli.az")} if language == "az" else PROBES
        raw = audit(human, machine, probes)
        seen = audit([repair(t, "") for t in human], [repair(t, "") for t in machine], probes)
        for name in probes:
            before, after = raw[name][0], seen[name][1]
            worst = max(worst, after)
            if before > 0.6 or after > 0.6:
                rows.append((language, name, f"{before:.2f}", f"{after:.2f}"))
    table("Shortcuts: AUROC of single habits", ("language", "habit", "raw", "as the detector reads"), rows)
    return worst
