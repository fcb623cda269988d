"""The `AI-Disclosure` response header (IETF draft-abaris-aicdh-01, expired): advisory, unsigned.

The draft's field table means a dictionary with commas; its example writes semicolons, which RFC 9651 reads as
parameters. Both are read.
"""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

from http_sfv.dictionary import Dictionary

from classifiers.provenance.signal import ProvenanceSignal
from classifiers.provenance.vocabularies import read_header_mode

HEADER: Final = "AI-Disclosure"
_KEYS: Final = ("model", "provider", "reviewed-by", "date")


def read_header(value: str) -> ProvenanceSignal:
    """One header value. A malformed or unknown one is inconclusive, and says so."""
    tool = f"http_sfv/{version('http_sfv')}"
    parsed = Dictionary()
    try:
        parsed.parse(value.encode("ascii"))
    except (ValueError, KeyError):
        return _inconclusive("malformed", tool)
    mode: Any = parsed.get("mode")
    claim = read_header_mode(str(mode.value)) if hasattr(mode, "value") else None
    if claim is None:
        return _inconclusive("no_known_mode", tool)
    items: dict[str, Any] = {key: parsed.get(key) for key in _KEYS}
    fields = {key: _plain(item.value) for key, item in items.items() if hasattr(item, "value")}
    fields |= {key: _plain(mode.params[key]) for key in _KEYS if key in mode.params}
    review = "reviewed" if fields.get("reviewed-by") else claim.human_review
    return ProvenanceSignal(
        type="http_header",
        outcome=claim.outcome,
        standing="unsigned",
        tool=tool,
        involvement=claim.involvement,
        human_review=review,
        detail={"mode": str(mode.value), **fields},
    )


def _inconclusive(problem: str, tool: str) -> ProvenanceSignal:
    return ProvenanceSignal("http_header", "inconclusive", "unsigned", tool, detail={"problem": problem})


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)[:500]
