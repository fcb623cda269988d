"""Verified records, and the feeds that they come from."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Unpack

from index.records import VerifiedRecord
from service.api.feeds import FeedList, FeedResult, FeedState
from service.api.records import RecordPage, RecordWrite, RecordWrites
from service.client.calls import Calls, path
from service.client.fields import FeedFields

RECORDS_PER_REQUEST: Final = 100


class RecordCalls(Calls):
    """The index of verified reporting."""

    def put_records(self, records: Iterable[VerifiedRecord | Mapping[str, Any]]) -> Iterator[RecordWrite]:
        """Add or update records, in parts. What is yielded is committed; nothing is sent before the first
        result is asked for.
        """
        rows = map(_row, records)
        while part := list(itertools.islice(rows, RECORDS_PER_REQUEST)):
            yield from self._create(path("records"), part, RecordWrites).results

    def put_record(
        self, record: VerifiedRecord | Mapping[str, Any], *, if_match: str | None = None
    ) -> RecordWrite:
        """Add or replace one record; with `if_match`, only if it is still what was read."""
        row = _row(record)
        # Carried out twice it is the same, unless it depends on what was there before.
        answer = self._send(
            "PUT", path("records", row["id"]), body=row, if_match=if_match, repeatable=if_match is None
        )
        return RecordWrite.model_validate_json(answer)

    def get_record(self, record_id: str) -> VerifiedRecord:
        """One record."""
        return self._get(path("records", record_id), VerifiedRecord)

    def list_records(self) -> Iterator[VerifiedRecord]:
        """All records in order of their ids, fetched page by page."""
        return self._pages(path("records"), RecordPage, lambda page: (page.items, page.next))

    def delete_record(self, record_id: str, *, if_match: str | None = None) -> None:
        """Delete a record."""
        self._send("DELETE", path("records", record_id), if_match=if_match)

    def put_feed(self, **feed: Unpack[FeedFields]) -> FeedState:
        """Add a feed (`url`, `kind`), or change the one at this address."""
        return self._create(path("feeds"), feed, FeedState)

    def list_feeds(self) -> list[FeedState]:
        """All feeds, and what became of their last refreshes."""
        return self._get(path("feeds"), FeedList).items

    def refresh_feed(self, feed_id: str) -> FeedResult:
        """Fetch a feed now; `error` of the answer says what went wrong."""
        return FeedResult.model_validate_json(
            self._send("POST", path("feeds", feed_id, "refresh"), repeatable=True)
        )

    def delete_feed(self, feed_id: str) -> None:
        """Remove a feed; the records that came from it stay."""
        self._send("DELETE", path("feeds", feed_id))


def _row(record: VerifiedRecord | Mapping[str, Any]) -> dict[str, Any]:
    return record.model_dump(mode="json") if isinstance(record, VerifiedRecord) else dict(record)
