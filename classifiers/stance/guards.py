"""Guards: typed comparisons of a claim with its evidence that no sentence vector makes.

Each guard says ``match``, ``mismatch`` or ``unknown`` and gives the two values. A guard never drops a
candidate; it is shown to the reader and feeds the stance head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

import regex

from classifiers.stance.dates import WrittenDate, find_dates
from classifiers.stance.evidence import ClaimEvidence, GuardName, GuardVerdict, Mismatch
from classifiers.stance.names import NameComparison, compare_names
from classifiers.stance.negation import negated, opposites
from classifiers.stance.numbers import Quantity, find_quantities
from classifiers.stance.units import HOURS, same_measure
from classifiers.text import LANGUAGES

_CYRILLIC = regex.compile(r"\p{Cyrillic}")


@dataclass(frozen=True, slots=True)
class Pairing:
    """Values of a claim against those of the evidence: how many agree, which clash, which stand on one side
    alone.
    """

    agreeing: int
    clashing: tuple[tuple[str, str], ...]
    only_claim: int
    only_evidence: int
    certain_in_claim: int

    @property
    def verdict(self) -> GuardVerdict:
        if self.clashing:
            return "mismatch"
        return "match" if self.agreeing and not self.only_claim else "unknown"


@dataclass(frozen=True, slots=True)
class GuardReport:
    """Everything the guards saw in one pair."""

    numbers: Pairing
    dates: Pairing
    names: NameComparison
    claim_negations: tuple[str, ...]
    evidence_negations: tuple[str, ...]
    opposites: tuple[tuple[str, str], ...]

    @property
    def verdicts(self) -> dict[GuardName, GuardVerdict]:
        return {
            "number": self.numbers.verdict,
            "date": self.dates.verdict,
            "name": self._name_verdict(),
            "negation": self._negation_verdict(),
        }

    def _name_verdict(self) -> GuardVerdict:
        if self.names.only_claim and self.names.only_evidence:
            return "mismatch"
        return "match" if self.names.shared and not self.names.only_claim else "unknown"

    def _negation_verdict(self) -> GuardVerdict:
        claim, evidence = bool(self.claim_negations), bool(self.evidence_negations)
        if claim != evidence or self.opposites:
            return "mismatch"
        return "match" if claim else "unknown"

    @property
    def mismatches(self) -> tuple[Mismatch, ...]:
        found = [Mismatch("number", a, b) for a, b in self.numbers.clashing]
        found += [Mismatch("date", a, b) for a, b in self.dates.clashing]
        if self._name_verdict() == "mismatch":
            found.append(
                Mismatch(
                    "name",
                    ", ".join(dict.fromkeys(n.text for n in self.names.only_claim)),
                    ", ".join(dict.fromkeys(n.text for n in self.names.only_evidence)),
                )
            )
        if bool(self.claim_negations) != bool(self.evidence_negations):
            found.append(
                Mismatch("negation", ", ".join(self.claim_negations), ", ".join(self.evidence_negations))
            )
        return (*found, *(Mismatch("opposite", a, b) for a, b in self.opposites))


def inspect(pair: ClaimEvidence) -> GuardReport:
    """Hold ``pair.claim`` against ``pair.evidence`` with every guard.

    A text of a language outside the nine, or too short to be identified, is read with the tables of a
    language of its script: digits and most names look the same there, and words that differ find nothing.
    """
    pair = replace(
        pair,
        claim_language=_readable_as(pair.claim_language, pair.claim),
        evidence_language=_readable_as(pair.evidence_language, pair.evidence),
    )
    claim = _read(pair.claim, pair.claim_language, pair.claim_published)
    evidence = _read(pair.evidence, pair.evidence_language, pair.evidence_published)
    return GuardReport(
        numbers=pair_quantities(claim.counts, evidence.counts, evidence.numbers),
        dates=pair_dates(claim.dates, evidence.dates),
        names=compare_names(pair.claim, pair.claim_language, pair.evidence, pair.evidence_language),
        claim_negations=claim.negations,
        evidence_negations=evidence.negations,
        opposites=tuple(opposites(pair.claim, pair.claim_language, pair.evidence, pair.evidence_language)),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one text says by itself: `counts` are its numbers outside dates."""

    dates: list[WrittenDate]
    numbers: list[Quantity]
    counts: list[Quantity]
    negations: tuple[str, ...]


# One text is held against many: a claim against its candidates, a record against the claims of an article.
@lru_cache(maxsize=4096)
def _read(text: str, language: str, published: date | None) -> _Reading:
    dates, numbers = find_dates(text, language, published), find_quantities(text, language)
    cues = tuple(cue.text for cue in negated(text, language))
    return _Reading(dates, numbers, _outside(numbers, dates), cues)


def _readable_as(language: str, text: str) -> str:
    """``language`` if there are tables for it, else the one whose tables fit the script of ``text``."""
    if language in LANGUAGES:
        return language
    return "ru" if _CYRILLIC.search(text) else "en"


def _outside(quantities: list[Quantity], dates: list[WrittenDate]) -> list[Quantity]:
    """Quantities that are no part of a date."""
    return [q for q in quantities if not any(d.start <= q.start < d.end for d in dates)]


def pair_quantities(
    claim: list[Quantity], evidence: list[Quantity], evidence_with_dates: list[Quantity] | None = None
) -> Pairing:
    """Match numbers by value, then pair what is left over by unit and kind as clashes.

    A claim number may also agree with a number inside a date of the evidence (``evidence_with_dates``).
    Left-over numbers clash only when both are certain and count the same kind of thing; "one" as a word
    clashes with nothing.
    """
    pool = list(evidence)
    left: list[Quantity] = []
    agreeing = 0
    for quantity in claim:
        partner = next((e for e in pool if quantity.agrees_with(e)), None)
        if partner is not None:
            pool.remove(partner)
            agreeing += 1
        elif any(quantity.agrees_with(e) for e in evidence_with_dates or evidence):
            agreeing += 1
        elif quantity.certain:
            left.append(quantity)
    rest = [e for e in pool if e.certain]
    only_evidence = len(rest)
    clashes: list[tuple[str, str]] = []
    unpaired = 0
    for quantity in left:
        rival = _rival(quantity, rest)
        if rival is None:
            unpaired += 1
        else:
            rest.remove(rival)
            bounded = bool(set(quantity.values) & set(rival.values))
            clashes.append((_shown(quantity, bounded=bounded), _shown(rival, bounded=bounded)))
    return Pairing(
        agreeing, tuple(clashes), unpaired, only_evidence - len(clashes), sum(q.certain for q in claim)
    )


def _rival(quantity: Quantity, rest: list[Quantity]) -> Quantity | None:
    candidates = [e for e in rest if e.kind == quantity.kind and _comparable(quantity, e)]
    if not candidates:
        return None
    return min(
        candidates, key=lambda e: (e.unit != quantity.unit, _distance(quantity.values[0], e.values[0]))
    )


def _comparable(a: Quantity, b: Quantity) -> bool:
    if a.unit is None or b.unit is None:
        return True
    if a.unit == b.unit or {a.unit, b.unit} == {"year", "age"} or same_measure(a.unit, b.unit):
        return True
    return a.unit in HOURS and b.unit in HOURS


def _distance(a: Decimal, b: Decimal) -> float:
    top = max(abs(a), abs(b))
    return float(abs(a - b) / top) if top else 0.0


_SIGNS = {">": "≥ ", "<": "≤ "}


def _shown(quantity: Quantity, *, bounded: bool = False) -> str:
    """The number as written; with a sign before it where nothing but the bounds differ."""
    sign = _SIGNS.get(quantity.relation, "") if bounded else ""
    return f"{sign}{quantity.text} %" if quantity.kind == "percent" else f"{sign}{quantity.text}"


def pair_dates(claim: list[WrittenDate], evidence: list[WrittenDate]) -> Pairing:
    """Match dates on the parts both state; a claim date clashes with a left-over date that states the same
    parts.
    """
    pool = list(evidence)
    left: list[WrittenDate] = []
    agreeing = 0
    for mention in claim:
        if any(mention.agrees_with(e) for e in evidence):
            agreeing += 1
            pool = [e for e in pool if not mention.agrees_with(e)]
        elif mention.certain:
            left.append(mention)
    clashes: list[tuple[str, str]] = []
    unpaired = 0
    rest = [e for e in pool if e.certain]
    for mention in left:
        rival = next((e for e in rest if mention.shared_parts(e)), None)
        if rival is None:
            unpaired += 1
        else:
            rest.remove(rival)
            clashes.append((mention.text, rival.text))
    return Pairing(agreeing, tuple(clashes), unpaired, len(rest), sum(d.certain for d in claim))
