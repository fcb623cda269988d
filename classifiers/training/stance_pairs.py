"""Claim/evidence pairs with a stance: the written variants and changed copies of parallel sentences."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifiers.stance.evidence import ClaimEvidence
from classifiers.stance.names import find_names
from classifiers.text import LANGUAGES
from classifiers.training import stance_mutations as mutations
from classifiers.training.claims_data import Row, read_rows

SUPPORTS, CONTRADICTS, NOT_ENOUGH = 0, 1, 2
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


class ParallelPairs:
    """Pairs made of parallel sentences: translations support, changed ones contradict, neighbours say
    nothing.

    Rows that the written set is built on are left out, so that the set stays unseen.
    """

    def __init__(self, data: Path, seed: int = 0) -> None:
        used = {row["row"] for row in read_rows(data / "claims" / "stance" / "turkic-variants.jsonl.gz")}
        self._rows = [
            r for r in read_rows(data / "claims" / "parallel" / "ntrex.jsonl.gz") if r["row"] not in used
        ]
        self._random = random.Random(seed)  # noqa: S311 (no secrets here)
        self._names = {
            language: sorted(
                {n.stem for r in self._rows for n in find_names(r[language], language) if len(n.stem) > 3}
            )
            for language in LANGUAGES
        }

    def draw(self, count: int, languages: Sequence[str] = LANGUAGES) -> Iterator[LabelledPair]:
        """``count`` pairs with random rows and languages, the three stances about equally often."""
        kinds = (
            "translation",
            "verbatim",
            "retouched",
            "spelled",
            "shorter",
            "number",
            "name",
            "swap",
            "negation",
            "neighbour",
            "longer",
        )
        weights = (22, 5, 7, 4, 8, 13, 10, 4, 11, 14, 14)
        for kind in self._random.choices(kinds, weights, k=count):
            pair = None
            while pair is None:  # few sentences hold a number or two names: look until one does
                row_number = self._random.randrange(len(self._rows))
                claim_language, evidence_language = (
                    self._random.choice(languages),
                    self._random.choice(languages),
                )
                pair = self._make(kind, row_number, claim_language, evidence_language)
            yield pair

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
        elif kind == "shorter":
            claim = mutations.shorten(source, self._random)
        elif kind == "longer":  # the claim says more than the evidence
            stance, shorter = NOT_ENOUGH, mutations.shorten(evidence, self._random)
            claim, evidence = (
                (source, shorter) if shorter and len(shorter) < 0.7 * len(evidence) else (None, evidence)
            )
        elif kind == "neighbour":
            stance, neighbour = NOT_ENOUGH, self._neighbour(number)
            claim = neighbour[claim_language] if neighbour else None
        else:
            stance, claim = CONTRADICTS, self._change(kind, source, claim_language)
        if claim is None:
            return None
        return LabelledPair(
            ClaimEvidence(claim, evidence, claim_language, evidence_language), stance, kind, str(row["doc"])
        )

    def _change(self, kind: str, text: str, language: str) -> str | None:
        if kind == "number":
            return mutations.change_number(text, language, self._random)
        if kind == "negation":
            return mutations.negate(text, language, self._random)
        if kind == "swap":
            return mutations.swap_names(text, language)
        return mutations.replace_name(text, language, self._names[language], self._random)

    def _neighbour(self, number: int) -> Row | None:
        """Another sentence of the same document, near by."""
        other = number + self._random.choice((-2, -1, 1, 2))
        if 0 <= other < len(self._rows) and self._rows[other]["doc"] == self._rows[number]["doc"]:
            return self._rows[other]
        return None
