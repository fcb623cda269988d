"""What a verified record accepts, and when it holds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from index.records import VerifiedRecord
from index.times import end_of, parse_moment, start_of


def record(**fields: Any) -> VerifiedRecord:
    return VerifiedRecord.model_validate({"id": "r1", "claim": "The bridge is 240 metres long.", **fields})


def test_minimal_record() -> None:
    found = record()
    assert found.rating is None
    assert found.sample is False


def test_rating_is_kept_verbatim_and_normalised() -> None:
    found = record(rating="Жалған ақпарат!")
    assert (found.rating, found.rating_normalised) == ("Жалған ақпарат!", "false")
    assert record(rating="Satire").rating_normalised is None
    # The caller's own reading of the rating wins.
    assert record(rating="False", rating_normalised="mixed").rating_normalised == "mixed"


def test_frozen() -> None:
    with pytest.raises(ValidationError):
        record().claim = "something else"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"id": 7}, "id"),
        ({"claim": "   "}, "claim"),
        ({"claim": "x" * 10_001}, "claim"),
        ({"claim": "nul \x00 inside"}, "claim"),
        ({"text": "half a pair \ud83d"}, "text"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://a b"}, "url"),
        ({"url": "http://[::1"}, "url"),
        ({"published_at": 2024}, "published_at"),
        ({"published_at": "2024"}, "published_at"),
        ({"published_at": "12.03.2024"}, "published_at"),
        ({"published_at": "2024-02-30"}, "published_at"),
        ({"language": "Kazakh language"}, "language"),
        ({"rating_normalised": "sort of"}, "rating_normalised"),
        ({"valid_from": "2024-05-02", "valid_to": "2024-05-01"}, "valid_to"),
        ({"superseded_by": "r1"}, "superseded_by"),
    ],
)
def test_refused(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        record(**fields)


def test_dates_keep_their_precision() -> None:
    assert record(published_at="2024-03-12").published_at == date(2024, 3, 12)
    assert type(record(published_at="2024-03-12").published_at) is date
    moment = record(published_at="2024-03-12T09:30:00+05:00").published_at
    assert isinstance(moment, datetime)
    assert moment.isoformat() == "2024-03-12T09:30:00+05:00"


def test_language_tag_is_normalised() -> None:
    assert record(language="uz_Cyrl").language == "uz-cyrl"
    assert record(language="").language is None


def test_validity_counts_whole_days() -> None:
    held = record(valid_from="2020-01-01", valid_to="2021-12-31")
    assert held.valid_at(date(2020, 1, 1))
    assert held.valid_at(date(2021, 12, 31))
    assert held.valid_at(datetime(2021, 12, 31, 23, 59, tzinfo=UTC))
    assert not held.valid_at(date(2019, 12, 31))
    assert not held.valid_at(date(2022, 1, 1))
    assert not held.valid_at(datetime(2022, 1, 1, tzinfo=UTC))


def test_validity_of_moments_minds_offsets() -> None:
    held = record(valid_from="2020-06-01T00:00:00+05:00")
    assert held.valid_at(datetime(2020, 5, 31, 19, 0, tzinfo=UTC))
    assert not held.valid_at(datetime(2020, 5, 31, 18, 59, tzinfo=UTC))
    # A day that contains the beginning counts.
    assert held.valid_at(date(2020, 5, 31))


def test_without_dates_always_valid() -> None:
    assert record().valid_at(date(1, 1, 2))


def test_content_hash_covers_every_field() -> None:
    base = record()
    changed = {
        "id": "r2", "claim": "other", "title": "t", "text": "t", "url": "https://example.org/a",
        "publisher": "p", "published_at": "2024-01-01", "rating": "False", "rating_normalised": "mixed",
        "language": "kk", "valid_from": "2024-01-01", "valid_to": "2024-01-01",
        "superseded_by": "r9", "sample": True,
    }  # fmt: skip
    assert set(changed) == set(VerifiedRecord.model_fields)
    hashes = {base.content_hash} | {record(**{name: value}).content_hash for name, value in changed.items()}
    assert len(hashes) == len(changed) + 1
    assert record().content_hash == base.content_hash


@given(st.one_of(st.dates(), st.datetimes(timezones=st.just(UTC))))
def test_moments_round_trip(moment: date) -> None:
    assert parse_moment(moment.isoformat()) == moment


@given(st.dates(min_value=date(1, 1, 2), max_value=date(9999, 12, 30)))
def test_a_day_contains_its_moments(day: date) -> None:
    assert start_of(day) <= end_of(day)
    assert end_of(day).date() == day == start_of(day).date()
