"""Counting the facts of items."""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_QUOTATIONS: Final = 20
UNKNOWN: Final = ""
_Z: Final = 1.959964  # 95%


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `of` items, as a share with its 95% interval (Wilson, which also holds for few items and for
    none or all of them).
    """

    hits: int
    of: int

    @property
    def share(self) -> float:
        """0 where there is no item."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the interval; everything where there is no item."""
        if not self.of:
            return 0.0, 1.0
        square = _Z * _Z
        scale = 1 + square / self.of
        middle = (self.share + square / (2 * self.of)) / scale
        spread = self.share * (1 - self.share) / self.of + square / (4 * self.of * self.of)
        half = _Z * math.sqrt(spread) / scale
        # At the very ends rounding would leave a hair.
        low = 0.0 if self.hits == 0 else max(middle - half, 0.0)
        high = 1.0 if self.hits == self.of else min(middle + half, 1.0)
        return low, high


@dataclass(slots=True)
class _Group:
    items: int = 0
    judged: int = 0
    flagged: int = 0

    @property
    def rate(self) -> Rate:
        return Rate(self.flagged, self.judged)


@dataclass(slots=True)
class _Answers:
    items: int = 0
    compared: int = 0
    conflicting: int = 0

    @property
    def rate(self) -> Rate:
        return Rate(self.conflicting, self.compared)


@dataclass(slots=True)
class Tally:
    """The counts of all items that were added.

    An article counts as judged where the detector did not abstain; an answer as compared where a statement in
    it agrees or conflicts with a record.
    """

    items: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    origin: _Group = field(default_factory=_Group)
    answers: _Answers = field(default_factory=_Answers)
    outlets: defaultdict[str, _Group] = field(default_factory=lambda: defaultdict(_Group))
    months: defaultdict[str, _Group] = field(default_factory=lambda: defaultdict(_Group))
    languages: defaultdict[str, _Group] = field(default_factory=lambda: defaultdict(_Group))
    declared: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    abstained: Counter[str] = field(default_factory=Counter)
    claims_abstained: Counter[str] = field(default_factory=Counter)
    claims: int = 0
    agreeing: int = 0
    conflicting: int = 0
    models: defaultdict[str, _Answers] = field(default_factory=lambda: defaultdict(_Answers))
    countries: defaultdict[str, _Answers] = field(default_factory=lambda: defaultdict(_Answers))
    pairs: defaultdict[tuple[str, str], _Answers] = field(default_factory=lambda: defaultdict(_Answers))
    _shown: int = 0
    _strongest: list[tuple[float, int, dict[str, Any]]] = field(default_factory=list)

    @property
    def has_origin(self) -> bool:
        """Was the origin looked at?"""
        return self.origin.items > 0

    @property
    def has_answers(self) -> bool:
        """Are there answers of chat assistants?"""
        return any(model != UNKNOWN for model in self.models)

    @property
    def quotations(self) -> list[dict[str, Any]]:
        """The most probable conflicts, the strongest first, with the facts of their items."""
        return [entry for _, _, entry in sorted(self._strongest, reverse=True)]

    def add(self, facts: Mapping[str, Any]) -> None:
        """Count one item."""
        self.items += 1
        if "error" in facts:
            self.refused[facts["error"]] += 1
            return
        if "verdict" in facts:
            self._add_origin(facts)
        if "claims" in facts:
            self._add_claims(facts)

    def _add_origin(self, facts: Mapping[str, Any]) -> None:
        flagged = facts["verdict"] == "likely_ai_unconfirmed"
        judged = "abstained" not in facts
        groups = (
            self.origin,
            self.outlets[facts.get("outlet", UNKNOWN)],
            self.months[facts.get("month", UNKNOWN)],
            self.languages[facts["language"]],
        )
        for group in groups:
            group.items += 1
            group.judged += judged
            group.flagged += flagged
        outcome = "flagged" if flagged else "not_flagged" if judged else "abstained"
        self.declared[facts.get("declared", UNKNOWN)][outcome] += 1
        if not judged:
            self.abstained[facts["abstained"]] += 1

    def _add_claims(self, facts: Mapping[str, Any]) -> None:
        conflicting, agreeing = facts.get("conflicting", 0), facts.get("agreeing", 0)
        self.claims += facts["claims"]
        self.agreeing += agreeing
        self.conflicting += conflicting
        if "claims_abstained" in facts:
            self.claims_abstained[facts["claims_abstained"]] += 1
        model, country = facts.get("model", UNKNOWN), facts.get("country", UNKNOWN)
        for group in (
            self.answers,
            self.models[model],
            self.countries[country],
            self.pairs[(model, country)],
        ):
            group.items += 1
            group.compared += bool(conflicting or agreeing)
            group.conflicting += conflicting > 0
        for conflict in facts.get("conflicts", ()):
            about = {name: facts[name] for name in ("model", "country", "outlet", "prompt") if name in facts}
            self._shown += 1
            # Earlier ones first among equals; the number also keeps dictionaries from being compared.
            entry = (conflict["probability"], -self._shown, {**conflict, **about})
            if len(self._strongest) < MAX_QUOTATIONS:
                heapq.heappush(self._strongest, entry)
            else:
                heapq.heappushpop(self._strongest, entry)
