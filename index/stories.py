"""Records that verify the same claim: the same words, whatever quotation marks, capitals or script."""

from __future__ import annotations

from collections.abc import Sequence

from index.lexical import spelling, words_of
from index.records import VerifiedRecord
from index.times import start_of


def story_key(record: VerifiedRecord) -> str:
    """Equal for records of the same claim. Numbers count, so that a corrected figure is another claim."""
    language = (record.language or "other").partition("-")[0]
    key = "".join(spelling(word, language) for word in words_of(record.claim, language))
    # A claim in a script without a Latin spelling keeps to itself.
    return key or record.claim


def newer_of(record: VerifiedRecord, others: Sequence[VerifiedRecord]) -> VerifiedRecord | None:
    """The newest of the others that was published after the record, if there is one."""
    if record.published_at is None:
        return None
    newest, result = start_of(record.published_at), None
    for other in others:
        if other.published_at is not None and start_of(other.published_at) > newest:
            newest, result = start_of(other.published_at), other
    return result
