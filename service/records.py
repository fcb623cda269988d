"""Adding verified records: read, embed, commit in chunks, acknowledge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from classifiers.models import Encoder
from classifiers.text import identify_language
from index.passages import PASSAGE_PROMPT, Passage, encoder_inputs, record_passages
from index.records import VerifiedRecord
from service.errors import InvalidEncoding, InvalidInput, MalformedJSON, TamgaError
from service.store.errors import StaleReadError
from service.store.records import PreparedRecord, SqlRecordRepository

CHUNK_SIZE = 128
_STALE_READS = 10


class InvalidRecord(InvalidInput):
    """A record that lacks something or holds something impossible."""

    slug = "invalid-record"
    title = "The record does not have the expected form"


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """An input line that is not a record; `line_id` is its id where one could be read."""

    line_id: str | None
    error: TamgaError


@dataclass(frozen=True, slots=True)
class IngestOutcome:
    """What became of one input item. Everything but "rejected" is committed when it is handed out."""

    record_id: str | None
    status: Literal["added", "updated", "unchanged", "rejected"]
    error: TamgaError | None = None

    def as_line(self) -> dict[str, Any]:
        """The output line of `tamga index add`."""
        if self.error is not None:
            return {"id": self.record_id, "error": self.error.as_error()}
        return {"id": self.record_id, "record_id": self.record_id, "status": self.status}


def read_record_lines(lines: Iterable[bytes]) -> Iterator[VerifiedRecord | RejectedLine]:
    """Records from JSON Lines; a line that is none becomes a RejectedLine and reading goes on. Blank lines
    are skipped.
    """
    for line in lines:
        if line.strip():
            yield _read_line(line)


def _read_line(line: bytes) -> VerifiedRecord | RejectedLine:
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return RejectedLine(None, InvalidEncoding(f"byte {error.start} of the line is not UTF-8"))
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        return RejectedLine(None, MalformedJSON(f"{error.msg} at character {error.colno} of the line"))
    except RecursionError:
        return RejectedLine(None, MalformedJSON("the line is nested too deeply"))
    if not isinstance(data, dict):
        return RejectedLine(None, InvalidRecord("a record is a JSON object, one per line"))
    try:
        return VerifiedRecord.model_validate(data)
    except ValidationError as error:
        return RejectedLine(_readable_id(data), InvalidRecord(_in_words(error)))


def _readable_id(data: dict[str, Any]) -> str | None:
    line_id = data.get("id")
    # JSON can spell half a surrogate pair, which no output line can.
    return (
        line_id
        if isinstance(line_id, str) and line_id.encode("utf-8", "ignore").decode() == line_id
        else None
    )


def _in_words(error: ValidationError) -> str:
    problems: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_input=False):
        field = str(problem["loc"][0]) if problem["loc"] else "record"
        message = problem["msg"].removeprefix("Value error, ")
        problems.setdefault(field, message)
    return "; ".join(f"{field}: {message}" for field, message in problems.items())


class RecordIngest:
    """Adds records in chunks, each embedded as a whole and committed in one transaction."""

    def __init__(
        self, repository: SqlRecordRepository, encoder: Encoder, *, chunk_size: int = CHUNK_SIZE
    ) -> None:
        self._repository = repository
        self._encoder = encoder
        self._chunk_size = chunk_size

    def add(self, items: Iterable[VerifiedRecord | RejectedLine]) -> Iterator[IngestOutcome]:
        """Add or update records; outcomes come in input order, each only after its commit.

        The same id twice: the later item replaces the earlier. A record equal to the stored one is
        "unchanged" and not embedded again.
        """
        chunk: list[VerifiedRecord | RejectedLine] = []
        ids: set[str] = set()
        for item in items:
            # One transaction per id and state: a repeated id starts a new chunk.
            if len(chunk) >= self._chunk_size or (isinstance(item, VerifiedRecord) and item.id in ids):
                yield from self._commit(chunk)
                chunk, ids = [], set()
            chunk.append(item)
            if isinstance(item, VerifiedRecord):
                ids.add(item.id)
        yield from self._commit(chunk)

    def put(
        self, record: VerifiedRecord, *, expected: int | None = None
    ) -> Literal["added", "updated", "unchanged"]:
        """Add or replace one record. Raises PreconditionFailed where it is not of the revision `expected`."""
        (status,) = self._write([record], None if expected is None else {record.id: expected})
        return status

    def _commit(self, chunk: Sequence[VerifiedRecord | RejectedLine]) -> Sequence[IngestOutcome]:
        records = [item for item in chunk if isinstance(item, VerifiedRecord)]
        statuses = iter(self._write(records) if records else ())
        return [
            IngestOutcome(item.id, next(statuses))
            if isinstance(item, VerifiedRecord)
            else IngestOutcome(item.line_id, "rejected", item.error)
            for item in chunk
        ]

    def _write(
        self, records: Sequence[VerifiedRecord], expected: Mapping[str, int] | None = None
    ) -> Sequence[Literal["added", "updated", "unchanged"]]:
        for attempt in range(_STALE_READS):
            try:
                prepared = self._prepare(records)
                return self._repository.write(prepared, self._encoder.model_id, expected=expected)
            except StaleReadError:
                # Another process changed one of them between the look at the hashes and the transaction.
                if attempt + 1 == _STALE_READS:
                    raise
        raise AssertionError("unreachable")

    def _prepare(self, records: Sequence[VerifiedRecord]) -> list[PreparedRecord]:
        known = self._repository.content_hashes([record.id for record in records])
        hashes = [record.content_hash for record in records]
        changed = [known.get(record.id) != content for record, content in zip(records, hashes, strict=True)]
        completed = [
            _with_language(record) if new else record for record, new in zip(records, changed, strict=True)
        ]
        passages = [
            tuple(record_passages(record, record.language or "other")) if new else ()
            for record, new in zip(completed, changed, strict=True)
        ]
        texts = [
            _passage_text(record, passage)
            for record, own in zip(completed, passages, strict=True)
            for passage in own
        ]
        vectors = self._encoder.encode(encoder_inputs(texts), prompt=PASSAGE_PROMPT) if texts else None
        prepared, first = [], 0
        for record, content, own in zip(completed, hashes, passages, strict=True):
            rows = vectors[first : first + len(own)] if vectors is not None and own else None
            prepared.append(PreparedRecord(record, content, own, rows))
            first += len(own)
        return prepared


def _with_language(record: VerifiedRecord) -> VerifiedRecord:
    if record.language is not None:
        return record
    code = identify_language(record.claim).code
    return record if code == "other" else record.model_copy(update={"language": code})


def _passage_text(record: VerifiedRecord, passage: Passage) -> str:
    text: str = getattr(record, passage.field)
    return text[passage.start : passage.end]
