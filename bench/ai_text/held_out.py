"""The held-out crops every section of the bench judges, and the tables they print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from classifiers.models import models_home
from classifiers.training.ai_text.calibrate_stage import ScoredCrop
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.evaluation import Judged, cross_fit, interval, upper_bound
from classifiers.training.ai_text.stored_documents import build_documents, load_stored

#: The documented floors hold for texts of this length and more.
HEADLINE_WORDS = 100


def work_folder(options: argparse.Namespace) -> Path:
    """Where training and bench keep what passes between runs."""
    return Path(options.work or models_home() / "training" / "ai_text")


def read_documents(options: argparse.Namespace) -> list[Document]:
    """Documents of ``--data``, from the cache of an earlier run unless ``--fresh`` is given."""
    stored = work_folder(options) / "documents.jsonl.gz"
    if stored.exists() and not options.fresh:
        return load_stored(stored)
    return build_documents(options.data, stored)


def one_per_document(judged: Sequence[Judged], at_least: int, below: int = 10**9) -> list[Judged]:
    """The longest crop of every document within the length limits."""
    longest: dict[str, Judged] = {}
    for item in judged:
        words = item.scored.crop.words
        if not at_least <= words < below:
            continue
        known = longest.get(item.scored.crop.document.id)
        if known is None or known.scored.crop.words < words:
            longest[item.scored.crop.document.id] = item
    return list(longest.values())


def rate(hits: int, n: int) -> str:
    """A share with its 95% Clopper-Pearson interval."""
    if not n:
        return "-"
    low, high = interval(hits, n)
    return f"{hits / n:.2f} ({low:.2f}-{high:.2f})"


def alarms(items: Sequence[Judged]) -> str:
    """False alarms, their rate and its upper bound."""
    hits = sum(item.flagged for item in items)
    return f"{hits}/{len(items)}, <= {upper_bound(hits, len(items)):.1%}" if items else "-"


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table under a heading."""
    print(f"\n## {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


def judge_all(scored: Sequence[ScoredCrop], target_fpr: float) -> list[Judged]:
    """Cross-fitted verdicts."""
    return cross_fit(scored, target_fpr)
