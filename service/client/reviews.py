"""Reviews: the queue, and what persons decide."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Unpack

from pydantic import TypeAdapter

from service.api.review_views import AgreementReport, HistoryEntry, Review, ReviewDetail, ReviewPage
from service.client.calls import Calls, path
from service.client.fields import ReviewFilters
from service.reviews.bulk import BulkResult
from service.reviews.queue import QueueCounts

_HISTORY = TypeAdapter(list[HistoryEntry])
_RESULTS = TypeAdapter(list[BulkResult])


class ReviewCalls(Calls):
    """What waits for a person."""

    def list_reviews(self, **wanted: Unpack[ReviewFilters]) -> Iterator[Review]:
        """The queue, fetched page by page: what is undecided, the riskiest first, unless asked otherwise."""
        return self._pages(path("reviews"), ReviewPage, lambda page: (page.items, page.next), **wanted)

    def count_reviews(self) -> QueueCounts:
        """How many reviews wait, by kind, language, outlet and stage."""
        return self._get(path("reviews", "counts"), QueueCounts)

    def get_review(self, review_id: str) -> ReviewDetail:
        """One review, with the opinions that the caller may see."""
        return self._get(path("reviews", review_id), ReviewDetail)

    def review_history(self, review_id: str) -> list[HistoryEntry]:
        """Everything that happened to a review, oldest first."""
        return _HISTORY.validate_json(self._send("GET", path("reviews", review_id, "history")))

    def lock_review(self, review_id: str, *, if_match: str | None = None) -> Review:
        """Take a review, or keep it for longer; it ends by itself."""
        address = path("reviews", review_id, "lock")
        answer = self._send("POST", address, if_match=if_match, repeatable=if_match is None)
        return Review.model_validate_json(answer)

    def unlock_review(self, review_id: str, *, if_match: str | None = None) -> Review:
        """Give a review back undecided."""
        answer = self._send("DELETE", path("reviews", review_id, "lock"), if_match=if_match)
        return Review.model_validate_json(answer)

    def decide_review(
        self,
        review_id: str,
        *,
        label: Mapping[str, Any] | None = None,
        matches: Sequence[Mapping[str, Any]] = (),
        note: str = "",
        if_match: str | None = None,
    ) -> Review:
        """Decide about the label (`{"action": "accept"}`, see `LabelDecision`), about matches
        (`MatchDecision`), or both.
        """
        decision: dict[str, Any] = {"matches": [dict(match) for match in matches], "note": note}
        if label is not None:
            decision["label"] = dict(label)
        address = path("reviews", review_id, "decision")
        return self._create(address, decision, Review, if_match=if_match)

    def undo_review(self, review_id: str, note: str = "", *, if_match: str | None = None) -> Review:
        """Take back the newest opinion; a label that it issued is revoked."""
        return self._create(path("reviews", review_id, "undo"), {"note": note}, Review, if_match=if_match)

    def ask_second_opinion(self, review_id: str, note: str = "", *, if_match: str | None = None) -> Review:
        """Ask for another pair of eyes."""
        address = path("reviews", review_id, "second-opinion")
        return self._create(address, {"note": note}, Review, if_match=if_match)

    def change_many_reviews(
        self,
        review_ids: Sequence[str],
        action: Literal["lock", "unlock", "decide", "second_opinion", "undo"],
        *,
        label: Mapping[str, Any] | None = None,
        note: str = "",
    ) -> list[BulkResult]:
        """The same for up to 200 reviews, each by itself; `label` goes with `decide`."""
        asked: dict[str, Any] = {"ids": list(review_ids), "action": action, "note": note}
        if label is not None:
            asked["label"] = dict(label)
        return _RESULTS.validate_json(self._send("POST", path("reviews", "bulk"), body=asked, creates=True))

    def review_agreement(self, since: str | None = None) -> AgreementReport:
        """How far reviewers agree with each other and with the machine; `since` is a moment with its zone."""
        return self._get(path("reviews", "agreement"), AgreementReport, since=since)

    def export_reviews(self, *, texts: bool = True) -> Iterator[dict[str, Any]]:
        """Every decided review to train with, read as they come; `texts`: with article and claims."""
        params = {"texts": str(texts).lower()}
        with self._transport.stream(path("reviews", "export"), params) as answer:
            for line in answer.iter_lines():
                yield json.loads(line)
