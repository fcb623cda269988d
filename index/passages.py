"""Cutting records and articles into the passages that are embedded, with offsets into their own fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifiers.text import canonicalise, split_sentences
from index.records import VerifiedRecord

PASSAGE_PROMPT = "query: "
"""E5's prefix for symmetric matching, on questions and passages alike: a claim is compared with claims."""

MAX_PASSAGES = 1 << 16
"""Passages of one document; a vector's id holds the ordinal in its low 16 bits."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Code points [start, end) of one field of a document."""

    field: str
    start: int
    end: int


_RECORD_WINDOW_CHARS = 400
_RECORD_WINDOW_OVERLAP = 1
_ARTICLE_WINDOW_CHARS = 800
_WHOLE_FIELD_CHARS = 1_000


def record_passages(record: VerifiedRecord, language: str) -> Iterator[Passage]:
    """The claim, the title where it says something else, and the text in short overlapping windows."""
    yield from whole_field("claim", record.claim, language)
    if record.title is not None and record.title != record.claim:
        yield from whole_field("title", record.title, language)
    if record.text is not None:
        yield from windows(
            "text", record.text, language, max_chars=_RECORD_WINDOW_CHARS, overlap=_RECORD_WINDOW_OVERLAP
        )


def article_passages(title: str | None, text: str, language: str) -> Iterator[Passage]:
    """The title and the text in windows of some 120 words, each word in one window: an article is encoded
    once.
    """
    if title:
        yield from whole_field("title", title, language)
    yield from windows("text", text, language, max_chars=_ARTICLE_WINDOW_CHARS, overlap=0)


def whole_field(field: str, text: str, language: str) -> Iterator[Passage]:
    """The field as one passage; in windows where it is longer than an encoder reads."""
    if len(text) <= _WHOLE_FIELD_CHARS:
        yield Passage(field, 0, len(text))
    else:
        yield from windows(field, text, language, max_chars=_WHOLE_FIELD_CHARS, overlap=0)


def windows(field: str, text: str, language: str, *, max_chars: int, overlap: int) -> Iterator[Passage]:
    """Runs of whole sentences of up to `max_chars` characters each, in order.

    Neighbouring windows share `overlap` sentences where these fit, so that a statement spread over two
    sentences lies whole in one window. A sentence longer than `max_chars` is cut at white space.
    """
    pieces = [
        piece
        for span in split_sentences(text, language)
        for piece in _pieces(text, span.start, span.end, max_chars)
    ]
    first = 0
    while first < len(pieces):
        last = first
        while last + 1 < len(pieces) and pieces[last + 1][1] - pieces[first][0] <= max_chars:
            last += 1
        yield Passage(field, pieces[first][0], pieces[last][1])
        if last + 1 == len(pieces):
            return
        # Step back by the overlap, but always start later than this window did.
        first = max(first + 1, last + 1 - overlap)


def _pieces(text: str, start: int, end: int, max_chars: int) -> Iterator[tuple[int, int]]:
    while end - start > max_chars:
        cut = text.rfind(" ", start + 1, start + max_chars + 1)
        cut = cut if cut > start else start + max_chars
        yield start, cut
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if start < end:
        yield start, end


def encoder_inputs(texts: Sequence[str]) -> list[str]:
    """Texts as the encoder sees them: in canonical form, the raw text where nothing would be left of it."""
    return [canonicalise(text).text or text for text in texts]
