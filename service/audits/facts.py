"""What the report needs of an item and its result: a few values, so that a report of a large audit reads no
texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from service.audits.items import Item

Agreement = Literal["conflicts", "agrees"]

# Quotations kept of one item, the most probable first, and how long each may be.
_CONFLICTS: Final = 3
_QUOTED: Final = 400
_NAME: Final = 120


def facts_of(item: Item, result: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of one item as plain JSON; absent ones are left out."""
    source = item.source
    facts: dict[str, Any] = {}
    if source is not None:
        facts |= {
            "outlet": _name(source.outlet),
            "month": None if source.published_at is None else source.published_at.isoformat()[:7],
            "declared": _declared(source.declared),
            "model": _name(source.model),
            "country": _name(source.country),
        }
    if "error" in result:
        facts["error"] = result["error"].get("type")
        return _present(facts)
    facts["language"] = result["language"]
    origin = result.get("origin")
    if origin is not None:
        facts |= {"verdict": origin["verdict"], "abstained": origin["abstain_reason"]}
    if "claims" in result:
        facts["claims"] = len(result["claims"])
        facts["claims_abstained"] = result["claims_reason"]
        compared = [_compared(claim) for claim in result["claims"]]
        facts["agreeing"] = sum(found is not None and found["is"] == "agrees" for found in compared) or None
        conflicts = [found for found in compared if found is not None and found["is"] == "conflicts"]
        conflicts.sort(key=lambda found: -found["probability"])
        if conflicts:
            facts["conflicting"] = len(conflicts)
            facts["conflicts"] = conflicts[:_CONFLICTS]
            if source is not None and isinstance(source.prompt, str):
                facts["prompt"] = _clean(source.prompt)[:_QUOTED]
    return _present(facts)


def agreement(match: Mapping[str, Any]) -> Agreement | None:
    """Whether a statement stands against what a record verifies, or with it; None where neither is said.

    A record may quote a claim that its publisher found false: whoever repeats that claim stands against the
    reporting, and whoever denies it stands with it.
    """
    if match["stance"] == "not_enough_info" or match["stance_abstained"]:
        return None
    repeats = match["stance"] == "supports"
    return "agrees" if repeats != ("rated_false" in match["warnings"]) else "conflicts"


def _compared(claim: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first match of a claim that says something, of those that are shown."""
    for match in claim["matches"]:
        found = None if match["level"] == "none" else agreement(match)
        if found is not None:
            return {
                "is": found,
                "claim": _clean(claim["text"])[:_QUOTED],
                "evidence": _clean(match["evidence"]["text"])[:_QUOTED],
                "record": match["record_id"],
                "publisher": _name(match["publisher"]),
                "url": match["url"],
                "rating": _name(match["rating"]),
                "stance": match["stance"],
                "probability": match["probability"],
                "mismatches": [
                    f"{item['claim_value']} ≠ {item['source_value']}" for item in match["mismatches"][:3]
                ],
            }
    return None


def _declared(declared: str | bool | None) -> str | None:
    if isinstance(declared, bool):
        return "involved" if declared else "none"
    return declared


def _name(value: Any) -> str | None:
    return _clean(value)[:_NAME].strip() or None if isinstance(value, str) else None


def _clean(text: str) -> str:
    """Without what the JSON of a database cannot hold."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _present(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
