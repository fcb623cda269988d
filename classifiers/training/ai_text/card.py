"""The model card, written by the command that measured what it says."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from classifiers.ai_text.encoder import encoder_plan
from classifiers.ai_text.fusion import WITNESSES, Fusion
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.evaluation import LanguageFigures, interval
from classifiers.training.ai_text.splits import part_of

_LABEL_WORDS = {"ai": "generated", "ai_rewritten": "rewritten", "ai_translated": "translated"}


def figures_table(found: Sequence[LanguageFigures]) -> str:
    """Markdown table: one row per language and label."""
    lines = [
        "| language | label | texts | AUROC | flagged | 95% interval | human texts | false alarms "
        "| upper bound | ECE | abstained |",
        "|---|---|---:|---:|---:|---|---:|---:|---:|---:|---:|",
    ]
    for figures in found:
        for label in figures.labels:
            low, high = interval(label.detected, label.n)
            lines.append(
                f"| {figures.language} | {_LABEL_WORDS[label.label]} | {label.n} | {label.auroc:.3f} "
                f"| {label.rate:.2f} | {low:.2f} to {high:.2f} | {figures.human} "
                f"| {figures.false_alarms} ({figures.fpr:.1%}) | {figures.fpr_upper:.1%} "
                f"| {figures.ece:.3f} | {figures.abstained:.0%} |"
            )
    return "\n".join(lines)


def rates_table(found: Mapping[float, Sequence[LanguageFigures]]) -> str:
    """Markdown table: what each target false-alarm rate costs and gains, one row per rate and language."""
    lines = [
        "| target | language | generated | flagged | 95% interval | human texts | false alarms "
        "| upper bound | abstained |",
        "|---:|---|---:|---:|---|---:|---:|---:|---:|",
    ]
    for target, languages in found.items():
        for figures in languages:
            label = next((item for item in figures.labels if item.label == "ai"), None)
            if label is None:
                continue
            low, high = interval(label.detected, label.n)
            lines.append(
                f"| {target:.1%} | {figures.language} | {label.n} "
                f"| {label.rate:.2f} | {low:.2f} to {high:.2f} | {figures.human} "
                f"| {figures.false_alarms} ({figures.fpr:.1%}) | {figures.fpr_upper:.1%} "
                f"| {figures.abstained:.0%} |"
            )
    return "\n".join(lines)


def source_table(found: Sequence[LanguageFigures]) -> str:
    """Markdown table of false alarms by human source."""
    lines = ["| language | source | texts | false alarms |", "|---|---|---:|---:|"]
    lines += [
        f"| {figures.language} | {source} | {total} | {alarms} |"
        for figures in found
        for source, (alarms, total) in sorted(figures.sources.items())
    ]
    return "\n".join(lines)


def data_table(documents: Sequence[Document]) -> str:
    """Markdown table of the corpora by language, source and label, with the number of training documents."""
    counts: Counter[tuple[str, str, str]] = Counter()
    trained: Counter[tuple[str, str, str]] = Counter()
    for document in documents:
        key = (document.language, document.source, document.label)
        counts[key] += 1
        trained[key] += part_of(document.group) == "train"
    lines = ["| language | source | label | documents | of these in training |", "|---|---|---|---:|---:|"]
    lines += [
        f"| {language} | {source} | {label} | {n} | {trained[(language, source, label)]} |"
        for (language, source, label), n in sorted(counts.items())
    ]
    return "\n".join(lines)


def encoder_facts(run: Path, weights: Path) -> str:
    """A sentence or two on how the encoder was trained, from its plan and its run's log."""
    plan = encoder_plan(weights)
    hours = 0.0
    log = run / "log.jsonl"
    if log.exists():
        times = [json.loads(line)["time"] for line in log.read_text(encoding="utf-8").splitlines()]
        # Pauses between resumed runs are no training.
        hours = sum(min(later - earlier, 3600) for earlier, later in pairwise(times)) / 3600
    return (
        f"Encoder: the lower {plan['layers']} layers of multilingual-e5-small, low-rank corrections (rank "
        f"{plan['rank']}) in the upper {plan['adapted']} of them, {plan['steps']} steps of "
        f"{2 * plan['pairs']} texts in windows of {plan['max_tokens']} tokens; "
        f"{hours:.1f} hours of training on two processor cores."
    )


def fusion_facts(fusion: Fusion) -> str:
    """The fusion's weights, in standard deviations of human texts."""
    parts = [f"{name} {weight:+.2f}" for name, weight in zip(WITNESSES, fusion.weights, strict=True)]
    return "Fusion by logistic regression, weights: " + ", ".join(parts) + "."


def hashes(weights: Path) -> str:
    """One line per weight file with its SHA-256."""
    return "\n".join(
        f"- `{path.name}` {path.stat().st_size / 1e6:.2f} MB, "
        f"sha256 `{hashlib.sha256(path.read_bytes()).hexdigest()}`"
        for path in sorted(weights.iterdir())
        if path.suffix in {".npz", ".safetensors", ".json"}
    )


def write_card(
    weights: Path,
    documents: Sequence[Document],
    found: Sequence[LanguageFigures],
    *,
    target_fpr: float,
    rates: Mapping[float, Sequence[LanguageFigures]],
    training: str,
) -> None:
    """Write ``MODEL_CARD.md`` beside the weights.

    Args:
        rates: the figures at every target false-alarm rate that can be chosen.
        training: a paragraph on how this model was trained and on what machine.
    """
    text = f"""# Origin detector: model card

Says whether a text looks machine-written, with a p-value against human texts of its language and length, or
abstains. It is evidence for a reviewer, never proof, and never says that a text is human-written.

## Command

    python -m classifiers.training.ai_text --data DIR --stages documents,linear,encoder,calibrate

{training}

## Figures

Held-out groups that no model was trained on, texts of 100 words and more, one count per document. The
threshold comes from human texts of the other held-out groups (five-fold cross-fit), at a target
false-alarm rate of {target_fpr:.1%}; the interval of the share flagged and the upper bound (95%, one-sided)
of the false-alarm rate are Clopper-Pearson. ECE counts both classes alike and leaves translations out.

{figures_table(found)}

False alarms by source of the human texts:

{source_table(found)}

At the rates that can be chosen, machine texts made from a prompt:

{rates_table(rates)}

## Limits

- The corpora are few: one or two outlets per language and, outside Azerbaijani, Russian and English, a single
  family of language models. A text from an unseen outlet or model may behave differently; the bound holds for
  texts like the calibration texts.
- In Uzbek and Turkmen all human texts are translations of foreign news: figures there are experimental.
- Kazakh and part of the Hungarian human texts are runs of unrelated sentences.
- Texts translated by a machine are often not told apart from human translations: see the rows "translated".
- Short texts (below 50 words), quotations, lists and tables are not judged.
- A verdict at 0.1% needs 999 human texts in its cell; most languages abstain there.
- Paraphrasing by hand or by a model lowers detection.

## Data

Texts keep their owners' rights and are not distributed. Licences are recorded row by row in the corpora.

{data_table(documents)}

## Files

{hashes(weights)}

Licence of the weights: Apache-2.0.
"""
    (weights / "MODEL_CARD.md").write_text(text, encoding="utf-8")
