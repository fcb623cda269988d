"""Dates as publishers give them: a day, or a moment; ISO 8601 in, UTC moments for comparison."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import BeforeValidator

_EXAMPLES = "2024-03-12 or 2024-03-12T09:30:00+05:00"


def _parse(value: object) -> object:
    # Pydantic alone would read "2024" or 2024 as seconds since 1970.
    if value is None or isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be an ISO 8601 date or date-time string, such as {_EXAMPLES}")
    text = value.strip()
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"is not an ISO 8601 date or date-time: {text[:40]!r}; write {_EXAMPLES}") from error


Moment = Annotated[date | datetime, BeforeValidator(_parse)]
"""A calendar day or a moment. A moment without an offset is UTC."""


def parse_moment(text: str) -> date | datetime:
    """Read what `isoformat` wrote; raises ValueError otherwise."""
    parsed = _parse(text)
    assert isinstance(parsed, date)
    return parsed


def start_of(moment: date | datetime) -> datetime:
    """First instant of a day, or the moment itself; aware, in UTC."""
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return datetime.combine(moment, time.min, tzinfo=UTC)


def end_of(moment: date | datetime) -> datetime:
    """Last instant that still belongs to a day, or the moment itself; aware, in UTC."""
    if isinstance(moment, datetime):
        return start_of(moment)
    return start_of(moment) + timedelta(days=1) - timedelta(microseconds=1)
