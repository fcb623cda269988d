"""Adding, correcting and removing records; what the index is told."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from index.records import VerifiedRecord
from service.errors import InvalidEncoding, MalformedJSON, PreconditionFailed
from service.records import IngestOutcome, InvalidRecord, RecordIngest, RejectedLine, read_record_lines
from service.store import Store, open_store
from service.store.errors import StaleReadError
from service.store.records import PreparedRecord


def record(record_id: str, claim: str = "The tower was finished in 1988.", **fields: Any) -> VerifiedRecord:
    return VerifiedRecord.model_validate({"id": record_id, "claim": claim, "language": "en", **fields})


def statuses(outcomes: Sequence[IngestOutcome]) -> list[tuple[str | None, str]]:
    return [(outcome.record_id, outcome.status) for outcome in outcomes]


def test_every_field_comes_back_as_given(store: Store, ingest: RecordIngest) -> None:
    full = record(
        "r1",
        title="Башня",
        text="Первое предложение. Второе предложение.",
        url="https://example.org/a?b=1",
        publisher="Example",
        published_at="2024-03-12T09:30:00+05:00",
        rating="Жалған",
        valid_from="2020-01-01",
        valid_to="2021-01-01T00:00:00+00:00",
        superseded_by="r2",
        sample=True,
    )
    list(ingest.add([full]))
    assert store.records.get("r1") == full
    assert store.records.get("r1").content_hash == full.content_hash  # type: ignore[union-attr]
    assert store.records.get("missing") is None


def test_statuses(store: Store, ingest: RecordIngest) -> None:
    assert statuses(list(ingest.add([record("a"), record("b")]))) == [("a", "added"), ("b", "added")]
    again = list(ingest.add([record("a"), record("b", "The tower was finished in 1989."), record("c")]))
    assert statuses(again) == [("a", "unchanged"), ("b", "updated"), ("c", "added")]
    assert store.records.delete("a")
    assert not store.records.delete("a")
    assert statuses(list(ingest.add([record("a")]))) == [("a", "added")]
    assert store.records.count() == 3


def test_repeated_ids_in_one_input(store: Store, ingest: RecordIngest) -> None:
    first, second = record("a"), record("a", "Another claim.")
    outcomes = list(ingest.add([first, first, second, record("b"), second]))
    assert statuses(outcomes) == [
        ("a", "added"),
        ("a", "unchanged"),
        ("a", "updated"),
        ("b", "added"),
        ("a", "unchanged"),
    ]
    assert store.records.get("a") == second


def test_outcomes_come_only_after_the_commit(store: Store, ingest: RecordIngest, url: str) -> None:
    reader = open_store(url)
    for outcome in ingest.add(record(f"r{number}") for number in range(11)):
        assert outcome.record_id is not None
        assert reader.records.get(outcome.record_id) is not None
    reader.close()


def test_unchanged_records_are_not_embedded_again(ingest: RecordIngest, encoder: Any) -> None:
    list(ingest.add([record("a"), record("b")]))
    embedded = encoder.encoded
    list(ingest.add([record("a"), record("b")]))
    assert encoder.encoded == embedded


def test_a_missing_language_is_identified(store: Store, ingest: RecordIngest) -> None:
    claim = "Мост через реку открыли весной после долгого ремонта, сообщили в городской администрации."
    given = VerifiedRecord(id="a", claim=claim)
    assert statuses(list(ingest.add([given]))) == [("a", "added")]
    assert store.records.get("a").language == "ru"  # type: ignore[union-attr]
    assert statuses(list(ingest.add([given]))) == [("a", "unchanged")]


def test_earlier_versions_are_kept(store: Store, ingest: RecordIngest) -> None:
    first, second = record("a"), record("a", "The tower was finished in 1989.")
    list(ingest.add([first, second]))
    store.records.delete("a")
    versions = store.records.versions("a")
    assert [(version.record, version.replaced_by) for version in versions] == [
        (first, "update"),
        (second, "delete"),
    ]


def test_revisions_follow_changes_only(store: Store, ingest: RecordIngest) -> None:
    list(ingest.add([record("a"), record("b")]))
    assert store.records.revision() == 2
    list(ingest.add([record("a"), record("b")]))
    assert store.records.revision() == 2
    store.records.delete("a")
    assert store.records.revision() == 3
    assert store.articles.revision() == 0


def test_changes_name_the_present_state_of_each_document(
    store: Store, ingest: RecordIngest, encoder: Any
) -> None:
    list(ingest.add([record("a"), record("b"), record("c", title="A title")]))
    store.records.delete("a")
    list(ingest.add([record("b", "Changed.")]))
    changes = store.records.changes(0, model_id=encoder.model_id, dimension=encoder.dimension, limit=10)
    assert [(change.revision, change.passages) for change in changes] == [(3, 2), (4, 0), (5, 1)]
    np.testing.assert_array_equal(changes[2].vectors, encoder.encode(["Changed."]))
    other = store.records.changes(4, model_id="another", dimension=7, limit=10)
    assert [(change.revision, change.passages, change.vectors.shape) for change in other] == [(5, 1, (0, 7))]


def test_numbers_are_never_given_again(store: Store, ingest: RecordIngest) -> None:
    list(ingest.add([record("a"), record("b")]))
    store.records.delete("b")
    list(ingest.add([record("c")]))
    changes = store.records.changes(0, model_id="m", dimension=4, limit=10)
    assert len({change.number for change in changes}) == 3


def test_a_record_changed_under_an_unchanged_one_is_noticed(store: Store, ingest: RecordIngest) -> None:
    list(ingest.add([record("a")]))
    stale = PreparedRecord(record("a", "Another claim."), "f" * 64, (), None)
    with pytest.raises(StaleReadError):
        store.records.write([stale], "m")
    assert store.records.get("a") == record("a")


def test_a_failed_chunk_leaves_nothing(store: Store, ingest: RecordIngest) -> None:
    """The second record of the batch has fewer vectors than passages: neither may be stored."""
    (good,) = ingest._prepare([record("a")])
    (bad,) = ingest._prepare([record("b", title="A title")])
    assert bad.vectors is not None
    broken = PreparedRecord(bad.record, bad.content_hash, bad.passages, bad.vectors[:1])
    with pytest.raises(ValueError, match="as many vectors"):
        store.records.write([good, broken], "m")
    assert store.records.count() == 0
    assert store.records.revision() == 0
    assert store.records.count_passages() == 0


def test_listing_pages(store: Store, ingest: RecordIngest) -> None:
    list(ingest.add(record(f"r{number:02}") for number in range(7)))
    first = store.records.list(limit=3)
    second = store.records.list(first[-1].id, 10)
    assert [found.id for found in (*first, *second)] == [f"r{number:02}" for number in range(7)]


def test_writers_at_once(url: str, make_encoder: Any) -> None:
    """Separate stores, as processes have; every write arrives and revisions have no gap and no repetition."""
    open_store(url).close()
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        store = open_store(url)
        try:
            ingest = RecordIngest(store.records, make_encoder(), chunk_size=3)
            list(ingest.add(record(f"{writer}-{number}") for number in range(12)))
            list(ingest.add(record("shared", f"Version of {writer}.") for _ in range(3)))
        except BaseException as error:
            failures.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not failures
    store = open_store(url)
    assert store.records.count() == 4 * 12 + 1
    changes = store.records.changes(0, model_id="m", dimension=4, limit=1_000)
    assert [change.revision for change in changes][-1] == store.records.revision()
    store.close()


LINES = [
    (b'{"id": "a", "claim": "Text."}', None, None),
    (b"\xef\xbb\xbf" + b'{"id": "a", "claim": "Text."}', None, None),
    (b'{"id": "a", "claim": "\xff"}', InvalidEncoding, "byte"),
    (b'{"id": "a", "claim": ', MalformedJSON, "character"),
    (b"[" * 100_000, MalformedJSON, "nested"),
    (b'["a"]', InvalidRecord, "object"),
    (b'{"claim": "Text."}', InvalidRecord, "id: Field required"),
    (b'{"id": "a"}', InvalidRecord, "claim: Field required"),
    (b'{"id": "a", "claim": 5, "url": "ftp://x"}', InvalidRecord, "claim: .*; url: must be an http"),
    (b'{"id": "a", "claim": "\\ud800"}', InvalidRecord, "claim: .*unicode"),
    (b'{"id": "\\ud800"}', InvalidRecord, "id: .*unicode"),
]


@pytest.mark.parametrize(("line", "error", "message"), LINES)
def test_lines(line: bytes, error: type[Exception] | None, message: str | None) -> None:
    (item,) = read_record_lines([b"\n", line, b"   \n"])
    if error is None:
        assert isinstance(item, VerifiedRecord)
        return
    assert isinstance(item, RejectedLine)
    assert isinstance(item.error, error)
    with pytest.raises(error, match=message):
        raise item.error


def test_bad_lines_keep_their_place(ingest: RecordIngest) -> None:
    lines = [b'{"id": "a", "claim": "One."}', b"{", b'{"id": "x"}', b'{"id": "b", "claim": "Two."}']
    shown = [outcome.as_line() for outcome in ingest.add(read_record_lines(lines))]
    assert shown[0] == {"id": "a", "record_id": "a", "status": "added"}
    assert shown[1]["id"] is None
    assert shown[1]["error"]["title"] == "The input is not valid JSON"
    assert shown[2]["id"] == "x"
    assert set(shown[2]["error"]) == {"type", "title", "detail"}
    assert shown[3] == {"id": "b", "record_id": "b", "status": "added"}


def test_only_the_revision_that_was_read_is_changed_or_removed(store: Store, ingest: RecordIngest) -> None:
    first = record("a", "The bridge was opened in 2019.")
    assert ingest.put(first) == "added"
    found = store.records.get_with_revision("a")
    assert found is not None
    assert found[1] == store.records.revision_of("a") == store.records.revision_of("a", first.content_hash)
    corrected = record("a", "The bridge was opened in 2020.")
    assert ingest.put(corrected, expected=found[1]) == "updated"
    assert store.records.revision_of("a", first.content_hash) is None
    with pytest.raises(PreconditionFailed):
        ingest.put(first, expected=found[1])
    with pytest.raises(PreconditionFailed):
        store.records.delete("a", expected=found[1])
    with pytest.raises(PreconditionFailed):
        ingest.put(record("b"), expected=1)
    assert store.records.get("a") == corrected
    assert store.records.delete("a", expected=store.records.revision_of("a"))
    assert store.records.get("a") is None
