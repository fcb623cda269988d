"""Shortcut audit: how well habits of the collection alone tell the classes apart.

A probe reads one such habit off a text. On raw corpora several probes separate the classes almost perfectly;
through the canonical form and the detector's view none may.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import regex
from sklearn.metrics import roc_auc_score

from classifiers.ai_text.view import detector_view
from classifiers.text import canonicalise

Probe = Callable[[str], float]

_MARKDOWN: Final = regex.compile(r"\*\*|^#{1,6} |^[-*] |`|\]\(", regex.MULTILINE)


def _rate(pattern: str) -> Probe:
    compiled = regex.compile(pattern)
    return lambda text: len(compiled.findall(text)) / max(1, len(text))


def _share(first: str, second: str) -> Probe:
    """Share of one way of writing a mark among both; 0 where the text has neither.

    So the probe reads the style of the marks alone: how often an author quotes is the author's own.
    """
    one, other = regex.compile(first), regex.compile(second)

    def probe(text: str) -> float:
        a, b = len(one.findall(text)), len(other.findall(text))
        return a / (a + b) if a + b else 0.0

    return probe


PROBES: Final[Mapping[str, Probe]] = {
    "blank_lines": _rate(r"\n\s*\n"),
    "line_breaks": _rate(r"\n"),
    "markdown": lambda text: len(_MARKDOWN.findall(text)) / max(1, len(text)),
    "double_spaces": _rate(r"  "),
    "space_before_point": _rate(r" [,.;:]"),
    "curly_quotes": _share(r"[“”„«»]", r'"'),
    "curly_apostrophes": _share(r"[’‘ʻʼ]", r"'"),
    "long_dashes": _share(r"[–—]", r"-"),
    "io_letter": _rate(r"[ёЁ]"),
    "years": _rate(r"\b(?:19|20)\p{Nd}{2}\b"),
    "field_names": _rate(r"(?i)\b(?:title|başlıq|məzmun|content)\s*:"),
    "addresses": _rate(r"https?://|www\."),
}


def separation(probe: Probe, human: Sequence[str], machine: Sequence[str]) -> float:
    """AUROC of a probe in its better direction: 0.5 where it knows nothing, 1 where it knows everything."""
    truth = [0] * len(human) + [1] * len(machine)
    auroc = float(roc_auc_score(truth, [probe(text) for text in (*human, *machine)]))
    return max(auroc, 1 - auroc)


def audit(
    human: Sequence[str], machine: Sequence[str], probes: Mapping[str, Probe] = PROBES
) -> dict[str, tuple[float, float]]:
    """For every probe its separation on raw texts and through the detector's view."""
    seen = [[detector_view(canonicalise(text).text) for text in texts] for texts in (human, machine)]
    return {
        name: (separation(probe, human, machine), separation(probe, seen[0], seen[1]))
        for name, probe in probes.items()
    }


def word_probe(word: str) -> Probe:
    """Whether a text contains ``word``, such as an outlet's name, in any case."""
    pattern = regex.compile(regex.escape(word), regex.IGNORECASE)
    return lambda text: float(bool(pattern.search(text)))
