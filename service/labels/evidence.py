"""Signals, declarations and detector results as evidence: what each is worth. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from classifiers.provenance import ProvenanceSignal
from service.labels.model import Basis, Evidence, HumanReview, Involvement
from service.labels.precedence import Proposal, propose

DeclaredBy = Literal["author_declared", "cms_recorded"]


def from_signals(signals: Iterable[ProvenanceSignal], at: datetime) -> list[Evidence]:
    """One piece of evidence for every signal, numbered by type."""
    found: list[Evidence] = []
    counts: dict[str, int] = {}
    for signal in signals:
        counts[signal.type] = counts.get(signal.type, 0) + 1
        found.append(
            Evidence(
                id=f"{signal.type}-{counts[signal.type]}",
                type=signal.type,
                outcome=signal.outcome,
                basis=_basis(signal),
                involvement=signal.involvement,
                human_review=signal.human_review,
                detail=signal.detail,
                tool=signal.tool,
                at=at,
            )
        )
    return found


def _basis(signal: ProvenanceSignal) -> Basis:
    if signal.outcome not in ("ai", "human"):
        return "no_evidence"
    match signal.standing, signal.outcome:
        case "trusted", "ai":
            return "provenance_signed"
        # A signed claim of no AI is a declaration of its signer. So is an unknown signer's admission of AI;
        # an unknown signer's claim of none is worth no more than a line of markup.
        case ("trusted", "human") | ("untrusted", "ai"):
            return "author_declared"
        case ("untrusted", "human") | ("unsigned", _):
            return "metadata_unsigned"
        case "own_key", "ai":
            return "watermark"
    return "no_evidence"


def from_declaration(
    declared: Involvement | bool, human_review: HumanReview | None, by: DeclaredBy, at: datetime
) -> Evidence:
    """What the author says or the CMS recorded. True: AI took part, who knows how far."""
    involvement: Involvement | None = declared if isinstance(declared, str) else None if declared else "none"
    if involvement == "unknown":
        outcome: Literal["ai", "human", "inconclusive"] = "inconclusive"
    else:
        outcome = "human" if involvement == "none" else "ai"
    return Evidence(
        id="declaration-1",
        type="declaration",
        outcome=outcome,
        basis=by if outcome != "inconclusive" else "no_evidence",
        involvement=involvement,
        human_review=human_review,
        tool="caller",
        at=at,
    )


def from_detector(
    *,
    flagged: bool,
    abstain_reason: str | None,
    detail: dict[str, Any],
    model: str,
    at: datetime,
) -> Evidence:
    """The statistical detector: a suspicion, nothing, or an abstention."""
    outcome: Literal["ai", "none", "inconclusive"] = (
        "inconclusive" if abstain_reason else "ai" if flagged else "none"
    )
    more = {"abstain_reason": abstain_reason} if abstain_reason else {}
    return Evidence(
        id="detector-1",
        type="detector",
        outcome=outcome,
        basis="statistical_detector",
        detail={**{name: value for name, value in detail.items() if value is not None}, **more},
        tool=f"ai_text/{model}",
        at=at,
    )


def from_analysis(
    analysis: dict[str, Any], at: datetime, *, besides: Sequence[Evidence] | None = None
) -> list[Evidence]:
    """The detector's part of a stored Analysis; nothing where the check was not made. With `besides`, also
    what else was weighed then (what the page said, which is not stored), as far as it is not among that
    already.
    """
    origin = analysis.get("origin")
    if not origin:
        return []
    stored = [Evidence.model_validate(item) for item in (origin.get("label") or {}).get("evidence", [])]
    known = {item.id for item in besides} if besides is not None else set()
    found = [] if besides is None else [e for e in stored if e.id not in known and e.type != "detector"]
    return [
        *found,
        from_detector(
            flagged=origin["verdict"] == "likely_ai_unconfirmed",
            abstain_reason=origin["abstain_reason"],
            detail={name: origin[name] for name in ("score", "p_value", "target_fpr")},
            model=str(analysis.get("models", {}).get("ai_text", "")),
            at=at,
        ),
    ]


def claimed(signals: Sequence[ProvenanceSignal], at: datetime) -> Proposal:
    """What signals claim, were all of them true: to read back what was written, not to label by."""
    stated = [
        item.model_copy(update={"basis": "author_declared"})
        for item in from_signals(signals, at)
        if item.outcome in ("ai", "human")
    ]
    return propose(stated)
