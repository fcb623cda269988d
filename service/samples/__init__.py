"""The sample index and the sample articles that let a newcomer see Tamga at work.

Everything here is written for the project and marked as a sample. A home holds samples only when somebody
asks for them (`make run`, `tamga samples load`). README.md beside this file says how the facts were chosen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any, Literal

from index.records import VerifiedRecord

__all__ = ["SampleArticle", "SamplePair", "sample_articles", "sample_records"]


@dataclass(frozen=True, slots=True)
class SamplePair:
    """A sentence of a sample article and the record it speaks about.

    `sentence` stands word for word in the article's text. Where the relation is `contradicts`, the article
    says `article_value` on purpose and the record `record_value`; both are None where it is `repeats`.
    """

    record_id: str
    relation: Literal["repeats", "contradicts"]
    sentence: str
    article_value: str | None = None
    record_value: str | None = None


@dataclass(frozen=True, slots=True)
class SampleArticle:
    """One sample article with the truth about its claims.

    `declared` is what the outlet declares about the text's origin, None where it declares nothing. `note`
    names every deliberate error and is None where there is none.
    """

    id: str
    language: str
    title: str
    outlet: str
    published_at: date
    text: str
    pairs: tuple[SamplePair, ...]
    declared: str | None = None
    note: str | None = None

    @property
    def repeats(self) -> tuple[str, ...]:
        """Ids of the records that the article repeats, in the order of the text."""
        return tuple(pair.record_id for pair in self.pairs if pair.relation == "repeats")

    @property
    def contradicts(self) -> tuple[str, ...]:
        """Ids of the records that the article contradicts on purpose, in the order of the text."""
        return tuple(pair.record_id for pair in self.pairs if pair.relation == "contradicts")


def sample_records() -> list[VerifiedRecord]:
    """The verified records of the sample index, in the file's order."""
    return [VerifiedRecord.model_validate(line) for line in _read_lines("records.jsonl")]


def sample_articles() -> list[SampleArticle]:
    """The ten sample articles, the two about marking AI content first."""
    return [_read_article(line) for line in _read_lines("articles.jsonl")]


def _read_article(line: dict[str, Any]) -> SampleArticle:
    return SampleArticle(
        id=line["id"],
        language=line["language"],
        title=line["title"],
        outlet=line["outlet"],
        published_at=date.fromisoformat(line["published_at"]),
        text=line["text"],
        pairs=tuple(SamplePair(**pair) for pair in line["pairs"]),
        declared=line.get("declared"),
        note=line.get("note"),
    )


def _read_lines(name: str) -> list[dict[str, Any]]:
    content = files(__name__).joinpath(name).read_text(encoding="utf-8")
    # Split at line feeds only: str.splitlines also cuts at U+2028, which a JSON string may hold.
    return [json.loads(line) for line in content.split("\n") if line]
