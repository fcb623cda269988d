"""Attacks of our own on every language: damage machine texts as sent, then ask the whole detector again."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from bench.ai_text.held_out import HEADLINE_WORDS, table
from classifiers.ai_text import Detector
from classifiers.training.ai_text import augment
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.splits import select, unit_hash

Edit = Callable[[str, str, random.Random], str]


def _zero_width(text: str, language: str, generator: random.Random) -> str:
    return "".join(letter + "\u200b" if generator.random() < 0.02 else letter for letter in text)


def _blank_lines(text: str, language: str, generator: random.Random) -> str:
    return text.replace(". ", ".\n\n")


EDITS: Mapping[str, Edit] = {
    "blank lines": _blank_lines,
    "zero-width characters": _zero_width,
    "look-alike letters": lambda text, language, generator: augment.look_alikes(text, generator),
    "spacing": lambda text, language, generator: augment.spacing(text, generator),
    "typos": lambda text, language, generator: augment.typos(text, generator),
    "lost punctuation": lambda text, language, generator: augment.lose_punctuation(text, generator),
    "dropped sentences": lambda text, language, generator: augment.edit_sentences(text, generator, language),
    "lower case": lambda text, language, generator: text.lower(),
}


def edits(
    documents: Sequence[Document], detector: Detector, target_fpr: float, per_language: int = 30
) -> None:
    """Share of generated texts caught before and after each edit; a report of tampering counts as caught."""
    chosen: list[Document] = []
    for language in sorted({document.language for document in documents}):
        own = [
            d
            for d in select(documents, "test")
            if d.language == language and d.label == "ai" and not d.attack and d.words >= HEADLINE_WORDS
        ]
        chosen += sorted(own, key=lambda d: unit_hash(d.id))[:per_language]
    before = {d.id: _flagged(detector, d.view, d.language, target_fpr) for d in chosen}
    rows = [("none", f"{sum(before.values()) / len(chosen):.2f}", "", "")]
    for name, edit in EDITS.items():
        flagged = tampered = 0
        for document in chosen:
            text = edit(document.view, document.language, random.Random(document.id))
            result = detector.assess(text, language=document.language, target_fpr=target_fpr)
            flagged += result.verdict == "likely_ai_unconfirmed"
            tampered += result.abstain_reason == "tampered"
        caught = (flagged + tampered) / len(chosen)
        loss = sum(before.values()) / len(chosen) - caught
        rows.append(
            (name, f"{flagged / len(chosen):.2f}", f"{tampered / len(chosen):.2f}", f"{100 * loss:+.0f}")
        )
    table(
        f"Edits of generated texts, all languages ({len(chosen)} texts)",
        ("edit", "flagged", "reported as tampered", "loss in points"),
        rows,
    )


def _flagged(detector: Detector, text: str, language: str, target_fpr: float) -> bool:
    found = detector.assess(text, language=language, target_fpr=target_fpr)
    return found.verdict == "likely_ai_unconfirmed"
