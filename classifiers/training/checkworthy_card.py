"""The model card of the check-worthiness heads, written from the figures of the training run."""

# ruff: noqa: E501 (rows of Markdown tables)

from __future__ import annotations

from pathlib import Path
from typing import Any

_TEXT = """# Check-worthiness heads ({model_version})

Two logistic heads over the sentence vector of the packaged encoder (`{encoder}`) and {features} rule
features: *claim* (is this a verifiable factual claim) and *priority* (would fact-checkers take it up).
Weights: `head.npz`, settings: `head.json`, all figures: `figures.json`. Made by `python -m
classifiers.training.checkworthy --data DIR`.

Data: CheckThat! 2022 task 1 posts (tr, en; research use), reduced to vectors and weights, and {own}
sentences in nine languages written for this project (`classifiers/training/checkworthy_examples.jsonl`,
Apache-2.0).

## Claim head, development posts (1B)

| language | n | accuracy (95 % interval) | TF-IDF | always yes | F1 |
|---|---|---|---|---|---|
{claim}

bg, nl and ar train nothing; they show how the head carries over to languages without labels.

## Priority heads, posts (1A), F1 of the positive class

| language | dev n (positive) | dev F1 (95 % interval) | TF-IDF dev F1 | 5-fold F1 | TF-IDF 5-fold | dev AP | TF-IDF dev AP |
|---|---|---|---|---|---|---|---|
{priority}

The dev parts hold some 45 positives each, so their F1 has wide intervals; the folds over all posts, each with
the threshold of the others, decide.

## News sentences in nine languages

Own examples, held out whole (five folds by example): claims missed {missed}, other sentences flagged
{flagged}, of {own_total} in all. "Posts only" is the same head without the own examples. "Correlation",
"same decision" and "claims": the scores of {parallel_n} parallel news sentences against those of their
English version, and the share called claims.

| language | accuracy, own examples | posts only | correlation | same decision | claims |
|---|---|---|---|---|---|
{languages}

## Limits

Posts are about COVID-19 and politics and no news; labels exist for tr and en alone. Whether a statement is
true is no part of this. A quotation that carries a claim counts as one; ironic and very short sentences are
often wrong.
"""


def write_card(path: Path, settings: dict[str, Any], figures: dict[str, Any]) -> None:
    """Write ``MODEL_CARD.md`` from one run's settings and figures."""
    claim = [
        f"| {lang} | {f['n']} | {f['accuracy']:.3f} ({f['accuracy_interval'][0]:.2f}–{f['accuracy_interval'][1]:.2f}) "
        f"| {f['tfidf_accuracy']:.3f} | {f['always_yes_accuracy']:.3f} | {f['f1']:.3f} |"
        if "tfidf_accuracy" in f
        else f"| {lang} (transfer) | {f['n']} | {f['accuracy']:.3f} "
        f"({f['accuracy_interval'][0]:.2f}–{f['accuracy_interval'][1]:.2f}) | – | {f['always_yes_accuracy']:.3f} | {f['f1']:.3f} |"
        for lang, f in figures["claim"].items()
    ]
    priority = [
        f"| {lang} | {f['n']} ({f['positives']}) | {f['head']['dev_f1']:.3f} "
        f"({f['head']['dev_f1_interval'][0]:.2f}–{f['head']['dev_f1_interval'][1]:.2f}) | {f['tfidf']['dev_f1']:.3f} "
        f"| {f['head']['folds_f1']:.3f} | {f['tfidf']['folds_f1']:.3f} | {f['head']['dev_average_precision']:.3f} "
        f"| {f['tfidf']['dev_average_precision']:.3f} |"
        for lang, f in figures["priority"].items()
    ]
    own = figures["own_examples"]
    languages = [
        f"| {lang} | {own['accuracy'][lang]:.3f} | {own['posts_only'][lang]:.3f} | {p['correlation_with_en']:.2f} "
        f"| {p['same_decision_as_en']:.2f} | {p['called_claims']:.2f} |"
        for lang, p in figures["parallel"].items()
    ]
    path.write_text(
        _TEXT.format(
            model_version=settings["model_version"], encoder=settings["encoder"], features=len(settings["features"]),
            own=own["examples"], claim="\n".join(claim), priority="\n".join(priority),
            missed=own["claims_missed"], flagged=own["others_flagged"], own_total=own["total"],
            parallel_n=settings["parallel_sentences"], languages="\n".join(languages),
        ),
        encoding="utf-8",
    )  # fmt: skip
