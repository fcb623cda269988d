"""The model card of the stance head, written from the figures of the training run."""

# ruff: noqa: E501 (rows of Markdown tables)

from __future__ import annotations

from pathlib import Path
from typing import Any

_TEXT = """# Stance head ({version})

Gradient-boosted trees over {features} language-independent features of a claim and its evidence: what the
number, date, name and negation guards saw, word overlap after transliteration, lengths, and the cosine of
the packaged encoder (`{encoder}`). Made by `python -m classifiers.training.stance --data DIR`. Weights:
`stance.npz`, settings: `stance.json`, all figures: `figures.json`.

Data: 44 news sentences in nine languages with written paraphrases, weaker claims, changed numbers, names,
negations and related claims, and changed copies of parallel news sentences (ntrex; rows of the written set
left out).

## Figures (written set, held out by row; intervals by drawing rows)

| evidence | macro-F1 (95 % interval) | worst language | paraphrase | weaker | number | name | negation | related |
|---|---|---|---|---|---|---|---|---|
{cases}

The last six columns: share said to *contradict*. Right answers are high for number, name and negation, and
low for the others. Calibration error {ece:.3f}; the head answers {answered:.0%} of the pairs, with macro-F1
{answered_f1:.3f} there.

Macro-F1 per language, evidence in the same language: {languages}.

## Limits

The written set is small and of one hand, so treat differences of a few points as noise. The head sees cues,
not meaning: swapped roles, causes and opposites without a listed word pass it by. Across languages it is
weaker, because names and words meet less often.
"""
_KINDS = ("paraphrase", "weaker", "number", "entity", "negation", "related")
_NAMES = {"same": "same language", "en": "English", "ru": "Russian", "tr": "Turkish"}


def write_card(path: Path, settings: dict[str, Any], figures: dict[str, Any]) -> None:
    """Write ``MODEL_CARD.md`` from one run's settings and figures."""
    cases = []
    for name, f in figures["cases"].items():
        low, high = f["macro_f1_interval"]
        worst = min(f["languages"], key=f["languages"].get)
        shares = " | ".join(f"{f['said_contradicts'][kind]:.2f}" for kind in _KINDS)
        cases.append(
            f"| {_NAMES[name]} | {f['macro_f1']:.3f} ({low:.2f}–{high:.2f}) "
            f"| {worst} {f['languages'][worst]:.2f} | {shares} |"
        )
    same = figures["cases"]["same"]["languages"]
    text = _TEXT.format(
        version=settings["model_version"],
        features=len(settings["features"]),
        encoder=settings["encoder"],
        cases="\n".join(cases),
        ece=figures["calibration_error"],
        answered=figures["answered"],
        answered_f1=figures["macro_f1_answered"],
        languages=", ".join(f"{lang} {value:.2f}" for lang, value in same.items()),
    )
    path.write_text(text, encoding="utf-8")
