"""Check-worthiness: the packaged heads against TF-IDF trained in the same run, and news sentences in nine
languages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from classifiers.text import LANGUAGES
from classifiers.training import checkworthy as training
from classifiers.training.claims_data import own_examples
from classifiers.training.vectors import VectorCache


def measure(data: Path, cache: VectorCache) -> dict[str, Any]:
    """Every check-worthiness figure, from heads trained anew on the training parts."""
    claim, worthy = training.CLAIM, training.WORTHY
    train = {lang: training.load_set(data, cache, lang, claim, "train") for lang in training.LABELLED}
    dev = {lang: training.load_set(data, cache, lang, claim, "dev") for lang in training.LABELLED}
    dev |= {lang: training.load_set(data, cache, lang, claim, "dev_test") for lang in training.TRANSFER}
    own = {language: training.load_own(cache, own_examples(), language) for language in LANGUAGES}
    head = training.train_claim_head(list(train.values()), list(own.values()))
    return {
        "claim": training.claim_figures(train, dev, head),
        "own_examples": training.own_example_figures(list(train.values()), own),
        "parallel": training.parallel_consistency(data, cache, head),
        "priority": {
            lang: training.worthy_figures(
                training.load_set(data, cache, lang, worthy, "train"),
                training.load_set(data, cache, lang, worthy, "dev"),
            )[2]
            for lang in training.LABELLED
        },
    }


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| set | n | head | 95 % interval | TF-IDF |", "|---|---|---|---|---|"]
    for lang, f in figures["claim"].items():
        low, high = f["accuracy_interval"]
        baseline = f"{f['tfidf_accuracy']:.3f}" if "tfidf_accuracy" in f else "– (transfer)"
        cells = f"{f['accuracy']:.3f} | {low:.2f}–{high:.2f} | {baseline}"
        lines.append(f"| {lang} 1B accuracy | {f['n']} | {cells} |")
    for lang, f in figures["priority"].items():
        ours, baseline = f["head"], f["tfidf"]
        low, high = ours["dev_f1_interval"]
        dev = f"{ours['dev_f1']:.3f} | {low:.2f}–{high:.2f} | {baseline['dev_f1']:.3f}"
        lines.append(f"| {lang} 1A F1, dev | {f['n']} | {dev} |")
        low, high = f["folds_f1_ahead_interval"]
        ahead = f"{ours['folds_f1']:.3f} | ahead by {low:+.2f} to {high:+.2f} | {baseline['folds_f1']:.3f}"
        lines.append(f"| {lang} 1A F1, five folds | {f['folds_n']} | {ahead} |")
        precision = [model["folds_average_precision"] for model in (ours, baseline)]
        lines.append(
            f"| {lang} 1A average precision, five folds | {f['folds_n']} | {precision[0]:.3f} | "
            f"| {precision[1]:.3f} |"
        )
    own = figures["own_examples"]
    lines += [
        "",
        f"Own examples in nine languages, held out whole: {own['claims_missed']} claims missed and "
        f"{own['others_flagged']} other sentences flagged of {own['total']}.",
        "",
        "| language | own examples | correlation with English scores of the same news | same decision |",
        "|---|---|---|---|",
    ]
    for lang, p in figures["parallel"].items():
        parallel = f"{p['correlation_with_en']:.2f} | {p['same_decision_as_en']:.2f}"
        lines.append(f"| {lang} | {own['accuracy'][lang]:.3f} | {parallel} |")
    return "\n".join(lines)
