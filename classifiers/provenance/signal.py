"""What a reader of provenance found: one signal, with how much it is worth left to others to judge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Involvement = Literal["none", "assisted", "generated", "mixed", "unknown"]
HumanReview = Literal["none", "reviewed", "unknown"]
Outcome = Literal["ai", "human", "none", "inconclusive"]
SignalType = Literal[
    "c2pa",
    "xmp",
    "jsonld",
    "microdata",
    "html_meta",
    "html_attribute",
    "http_header",
    "watermark_green_list",
    "watermark_synthid",
    "unicode",
]
# trusted: signed under a configured trust anchor, and the content is what was signed
# untrusted: soundly signed by somebody unknown
# invalid: a signature that fails, or content that is not what was signed
# unsigned: anybody can have written it
# own_key: found with the newsroom's own secret key
# note: a trace that says nothing about AI
Standing = Literal["trusted", "untrusted", "invalid", "unsigned", "own_key", "note"]


@dataclass(frozen=True, slots=True)
class ProvenanceSignal:
    """One signal. `outcome` "ai": AI took part, by `involvement` as far as the source says; "human": it
    claims that none did; "none": looked for and not found, which proves nothing; "inconclusive": neither.

    `detail` holds JSON values; `tool` names what read it, with its version.
    """

    type: SignalType
    outcome: Outcome
    standing: Standing
    tool: str
    involvement: Involvement | None = None
    human_review: HumanReview | None = None
    detail: dict[str, Any] = field(default_factory=dict)
