"""What happened to labels, as a chain. Pure.

Every event carries the hash of the one before it in the whole log and of the one before it on the same label:
nothing can be changed, removed or slipped in without breaking the chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict

from service.labels.fingerprint import hash_bytes

EventKind = Literal["drafted", "disputed", "issued", "superseded", "revoked", "manifest_added"]


class LabelEvent(BaseModel):
    """One event. `hash` covers everything else."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    label_id: str
    kind: EventKind
    at: datetime
    actor: str
    reason: str | None
    detail: dict[str, Any]
    previous: str | None
    log_previous: str | None
    hash: str


def chained(
    *,
    sequence: int,
    label_id: str,
    kind: EventKind,
    at: datetime,
    actor: str,
    reason: str | None,
    detail: Mapping[str, Any],
    previous: str | None,
    log_previous: str | None,
) -> LabelEvent:
    """An event with its hash."""
    values: dict[str, Any] = {
        "sequence": sequence,
        "label_id": label_id,
        "kind": kind,
        "at": at.astimezone(UTC).isoformat(),
        "actor": actor,
        "reason": reason,
        "detail": dict(detail),
        "previous": previous,
        "log_previous": log_previous,
    }
    return LabelEvent.model_validate({**values, "hash": hash_bytes(rfc8785.dumps(values))})


def first_break(events: Iterable[LabelEvent], *, whole_log: bool) -> str | None:
    """What is wrong with a history, None where nothing is.

    `events` in order of sequence: of one label, or, with `whole_log`, of all.
    """
    last: LabelEvent | None = None
    last_of: dict[str, str] = {}
    for event in events:
        expected = chained(**event.model_dump(exclude={"hash"}))
        if expected.hash != event.hash:
            return f"event {event.sequence} was changed"
        if event.previous != last_of.get(event.label_id):
            return f"event {event.sequence} does not follow the label's event before it"
        if whole_log:
            if event.log_previous != (last.hash if last else None):
                return f"event {event.sequence} does not follow the event before it"
            if event.sequence != (last.sequence + 1 if last else 1):
                return f"events before {event.sequence} are missing"
        last = event
        last_of[event.label_id] = event.hash
    return None
