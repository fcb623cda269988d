"""Claim/evidence pairs with a stance: the written variants and changed copies of parallel sentences."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from classifiers.stance.evidence import ClaimEvidence
from classifiers.stance.names import find_names
from classifiers.text import LANGUAGES
from classifiers.training import stance_mutations as mutations
from classifiers.training.claims_data import Row, calibration_documents, parallel_pairs, read_rows
from classifiers.training.stance_frames import SUPPORTING, UNDECIDED, FramePairs

SUPPORTS, CONTRADICTS, NOT_ENOUGH = 0, 1, 2
Part = Literal["encoder", "head"]
_SAME_LANGUAGE = 0.25
# Kinds of pairs and how often each is drawn.
_KINDS = {
    "translation": 24,
    "verbatim": 3,
    "retouched": 6,
    "spelled": 4,
    "bounded": 6,
    "bounds apart": 3,
    "shorter": 9,
    "number": 12,
    "name": 12,
    "swap": 4,
    "negation": 13,
    "neighbour": 10,
    "elsewhere": 10,
    "longer": 10,
}
_CHANGES = ("number", "name", "swap", "negation")
# Two sentences of different stories count as alike in subject between these cosines of their words; above,
# they may be the same sentence, which stands in several of the two-language sets.
_ALIKE = (0.12, 0.6)
_BLOCK = 1000
# The two-language sets do not say where a story ends: rows this near may belong to one.
_SAME_STORY = 30
_LABELS = {"SUPPORTS": SUPPORTS, "REFUTES": CONTRADICTS, "NOT_ENOUGH_INFO": NOT_ENOUGH}


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A pair, its stance (index into ``STANCES``), its kind ("paraphrase", "number" ...) and the row it
    stems from.
    """

    pair: ClaimEvidence
    stance: int
    kind: str
    group: str


def written_variants(
    data: Path, evidence_languages: Sequence[str] = ("same", "en", "ru", "tr")
) -> list[LabelledPair]:
    """Pairs of the written set. ``same`` holds a claim against the evidence in its own language."""
    pairs = []
    for row in read_rows(data / "claims" / "stance" / "turkic-variants.jsonl.gz"):
        for other in evidence_languages:
            if other == row["lang"]:
                continue
            language = row["lang"] if other == "same" else other
            evidence = row["evidence"] if other == "same" else row[f"evidence_{other}"]
            pairs.append(
                LabelledPair(
                    ClaimEvidence(row["claim"], evidence, row["lang"], language),
                    _LABELS[row["label"]],
                    row["variant"],
                    f"row-{row['row']}",
                )
            )
    return pairs


def short_statements(count: int, seed: int = 0) -> Iterator[LabelledPair]:
    """``count`` pairs of short statements written for the project."""
    for pair, kind in FramePairs(seed).draw(count):
        stance = SUPPORTS if kind in SUPPORTING else NOT_ENOUGH if kind in UNDECIDED else CONTRADICTS
        yield LabelledPair(pair, stance, f"short {kind}", "short statements")


def changed_claims(pairs: Sequence[LabelledPair], rng: random.Random) -> list[LabelledPair]:
    """Claims that their evidence supports with a number, a name or a negation changed, which it contradicts;
    a pair whose claim no rule fits gives none. All pairs are of one language.
    """
    supported = [pair for pair in pairs if pair.stance == SUPPORTS]
    if not supported:
        return []
    language = supported[0].pair.claim_language
    pool = sorted({n.stem for p in supported for n in find_names(p.pair.claim, language) if len(n.stem) > 3})
    changed = []
    for labelled in supported:
        for kind in rng.sample(_CHANGES, len(_CHANGES)):
            claim = changed_text(kind, labelled.pair.claim, language, pool, rng)
            if claim is not None:
                pair = replace(labelled.pair, claim=claim)
                changed.append(LabelledPair(pair, CONTRADICTS, f"{labelled.kind} {kind}", labelled.group))
                break
    return changed


def changed_text(kind: str, text: str, language: str, names: list[str], rng: random.Random) -> str | None:
    """``text`` with one of ``_CHANGES`` made, or None where its rule does not fit."""
    if kind == "number":
        return mutations.change_number(text, language, rng)
    if kind == "negation":
        return mutations.negate(text, language, rng)
    if kind == "swap":
        return mutations.swap_names(text, language)
    return mutations.replace_name(text, language, names, rng)


class ParallelPairs:
    """Pairs made of parallel sentences: translations support, changed ones contradict, neighbours say
    nothing.

    ``part`` is ``encoder`` for what cross-encoders are trained on, ``head`` for the documents kept from
    them. Rows that the written set is built on are in neither, so that the set stays unseen.
    """

    def __init__(self, data: Path, part: Part, seed: int = 0) -> None:
        kept = calibration_documents(data)
        used = {row["row"] for row in read_rows(data / "claims" / "stance" / "turkic-variants.jsonl.gz")}
        self._rows = [
            {"doc": row["doc"], **{language: row[language] for language in LANGUAGES}}
            for row in read_rows(data / "claims" / "parallel" / "ntrex.jsonl.gz")
            if row["row"] not in used and (row["doc"] in kept) == (part == "head")
        ]
        if part == "encoder":
            self._rows += [
                {"doc": f"{one}-{other}", **row} for one, other, rows in parallel_pairs(data) for row in rows
            ]
        self._random = random.Random(seed)  # noqa: S311 (no secrets here)
        self._names = {
            language: sorted(
                {
                    n.stem
                    for r in self._rows
                    if language in r
                    for n in find_names(r[language], language)
                    if len(n.stem) > 3
                }
            )
            for language in LANGUAGES
        }

    def draw(self, count: int) -> Iterator[LabelledPair]:
        """``count`` pairs with random rows and languages, the three stances about equally often."""
        kinds = tuple(_KINDS)
        for kind in self._random.choices(kinds, tuple(_KINDS.values()), k=count):
            pair = None
            while pair is None:  # few sentences hold a number or two names: look until one does
                # Half of the pairs come from the sentences that are there in all nine languages.
                row_number = self._random.randrange(len(self._rows))
                if self._random.random() < 0.5:
                    row_number = self._random.randrange(self._nine_ways)
                languages = [k for k in self._rows[row_number] if k != "doc"]
                claim_language = self._random.choice(languages)
                evidence_language = (
                    claim_language
                    if self._random.random() < _SAME_LANGUAGE
                    else self._random.choice(languages)
                )
                pair = self._make(kind, row_number, claim_language, evidence_language)
            yield pair

    @cached_property
    def _nine_ways(self) -> int:
        return sum(len(row) > 3 for row in self._rows)

    def _make(
        self, kind: str, number: int, claim_language: str, evidence_language: str
    ) -> LabelledPair | None:
        row = self._rows[number]
        source, evidence = row[claim_language], row[evidence_language]
        same = claim_language == evidence_language
        stance = SUPPORTS
        claim: str | None = source
        if kind == "translation":
            claim = None if same else source
        elif kind in ("verbatim", "retouched"):  # most repeats of a record copy its words
            evidence, evidence_language = source, claim_language
            claim = source if kind == "verbatim" else mutations.retouch(source, self._random)
        elif kind == "spelled":
            claim = mutations.spell_number(source, claim_language, self._random)
        elif kind == "bounded":
            claim, evidence = self._bounded(source, claim_language, evidence, evidence_language)
        elif kind == "bounds apart":
            stance = CONTRADICTS
            claim = mutations.bound_number(source, claim_language, "<", self._random)
            other = mutations.bound_number(evidence, evidence_language, ">", self._random)
            if claim is None or other is None:
                return None
            evidence = other
            if self._random.random() < 0.5:
                claim, evidence = evidence, claim
                claim_language, evidence_language = evidence_language, claim_language
        elif kind == "shorter":
            claim = mutations.shorten(source, self._random)
        elif kind == "longer":  # the claim says more than the evidence
            stance, shorter = NOT_ENOUGH, mutations.shorten(evidence, self._random)
            claim, evidence = (
                (source, shorter) if shorter and len(shorter) < 0.7 * len(evidence) else (None, evidence)
            )
        elif kind in ("neighbour", "elsewhere"):  # same story, or another one that shares words
            stance = NOT_ENOUGH
            other_row = self._neighbour(number) if kind == "neighbour" else self._elsewhere(number)
            claim = other_row.get(claim_language) if other_row else None
        else:
            stance = CONTRADICTS
            names = self._names[claim_language]
            claim = changed_text(kind, source, claim_language, names, self._random)
        if claim is None:
            return None
        return LabelledPair(
            ClaimEvidence(claim, evidence, claim_language, evidence_language), stance, kind, str(row["doc"])
        )

    def _elsewhere(self, number: int) -> Row | None:
        """A sentence of another story about something alike: other floods, other elections."""
        alike = self._alike.get(number)
        return self._rows[self._random.choice(alike)] if alike else None

    @cached_property
    def _alike(self) -> dict[int, list[int]]:
        """Per row with an English text the rows of other stories whose English shares the most words."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        english = [i for i, row in enumerate(self._rows) if "en" in row]
        vectors = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit_transform(
            [self._rows[i]["en"] for i in english]
        )
        found: dict[int, list[int]] = {}
        for start in range(0, len(english), _BLOCK):
            cosines = (vectors[start : start + _BLOCK] @ vectors.T).toarray()
            for number, row in zip(english[start : start + _BLOCK], cosines, strict=True):
                nearest = [(english[j], float(row[j])) for j in row.argsort()[::-1][:12]]
                document = self._rows[number]["doc"]
                found[number] = [
                    other
                    for other, cosine in nearest
                    if _ALIKE[0] <= cosine <= _ALIKE[1]
                    and (self._rows[other]["doc"] != document or abs(other - number) > _SAME_STORY)
                ][:4]
        return found

    def _bounded(
        self, source: str, claim_language: str, evidence: str, evidence_language: str
    ) -> tuple[str | None, str]:
        """A claim with "at most" before a number that the evidence states so too, or states plainly; or the
        other way round.
        """
        bound = self._random.choice("<<>")
        claim = mutations.bound_number(source, claim_language, bound, self._random)
        other = mutations.bound_number(evidence, evidence_language, bound, self._random)
        if claim is None or other is None:
            return None, evidence
        form = self._random.random()
        if form < 0.4:
            return claim, other
        return (claim, evidence) if form < 0.8 else (source, other)

    def _neighbour(self, number: int) -> Row | None:
        """Another sentence of the same document, near by."""
        other = number + self._random.choice((-2, -1, 1, 2))
        if 0 <= other < len(self._rows) and self._rows[other]["doc"] == self._rows[number]["doc"]:
            return self._rows[other]
        return None
