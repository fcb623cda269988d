"""Hidden characters and mixed scripts: a note for the reviewer, never evidence of AI.

Word processors, content systems and keyboards leave such traces as well as people who want to deceive a
detector.
"""

from __future__ import annotations

from typing import Final

from classifiers.provenance.signal import ProvenanceSignal
from classifiers.text import Tampering

_COUNTED: Final = ("zero_width", "bidi", "variation_selectors", "tags", "other_hidden", "homoglyphs")


def read_characters(tampering: Tampering) -> list[ProvenanceSignal]:
    """The note on what the canonical form of a text took out; nothing for a clean text."""
    if tampering.total == 0:
        return []
    counts = {name: count for name in _COUNTED if (count := getattr(tampering, name))}
    return [
        ProvenanceSignal(
            type="unicode", outcome="inconclusive", standing="note", tool="classifiers.text", detail=counts
        )
    ]
