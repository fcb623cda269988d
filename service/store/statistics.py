"""What became of articles, counted: by outlet, language and month; and how old the queue is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa

from service.store.database import Database
from service.store.models import AnalysisRow, ArticleRow
from service.store.review_models import ReviewRow


@dataclass(frozen=True, slots=True)
class OriginCount:
    """The articles of one outlet and language in one month, by what the detector said at their latest
    analysis. `judged` leaves out abstentions; `flagged` is of the judged. `reasons` counts abstentions.
    """

    month: str
    outlet: str | None
    language: str
    judged: int
    flagged: int
    reasons: dict[str, int]

    @property
    def abstained(self) -> int:
        """Articles on which the detector abstained."""
        return sum(self.reasons.values())


def origin_counts(database: Database, since: datetime) -> Sequence[OriginCount]:
    """Counts of the articles stored from `since` on. Reads one small row per group and day."""
    latest = sa.select(sa.func.max(AnalysisRow.analysis_number)).group_by(AnalysisRow.article_number)
    origin = AnalysisRow.content["origin"]
    verdict = origin["verdict"].as_string()
    reason = origin["abstain_reason"].as_string()
    day = sa.cast(ArticleRow.created_at, sa.String).label("day")
    # Both databases write a moment with the year first.
    month = sa.func.substr(day, 1, 7)
    language = sa.func.coalesce(ArticleRow.language, "other")
    query = (
        sa.select(month, ArticleRow.outlet, language, verdict, reason, sa.func.count())
        .join(ArticleRow, ArticleRow.number == AnalysisRow.article_number)
        .where(ArticleRow.created_at >= since, AnalysisRow.analysis_number.in_(latest), verdict.is_not(None))
        .group_by(month, ArticleRow.outlet, language, verdict, reason)
    )
    judged: dict[tuple[str, str | None, str], int] = {}
    flagged: dict[tuple[str, str | None, str], int] = {}
    reasons: dict[tuple[str, str | None, str], dict[str, int]] = {}
    with database.reading() as connection:
        for row in connection.execute(query):
            key = (row[0], row[1], row[2])
            found, why, count = row[3], row[4], row[5]
            of = reasons.setdefault(key, {})
            if why is not None:
                of[why] = of.get(why, 0) + count
                continue
            judged[key] = judged.get(key, 0) + count
            if found == "likely_ai_unconfirmed":
                flagged[key] = flagged.get(key, 0) + count
    return [
        OriginCount(*key, judged.get(key, 0), flagged.get(key, 0), why)
        for key, why in sorted(reasons.items(), key=lambda item: (item[0][0], item[0][1] or "", item[0][2]))
    ]


def waiting_since(database: Database, limits: Sequence[datetime]) -> list[int]:
    """How many undecided reviews are younger than the first of the moments, between it and the next, and so
    on, and older than the last. The moments go back in time.
    """
    bounds = [None, *limits, None]
    counts = []
    with database.reading() as connection:
        for newer, older in pairwise(bounds):
            query = sa.select(sa.func.count()).select_from(ReviewRow).where(ReviewRow.state == "open")
            if newer is not None:
                query = query.where(ReviewRow.created_at < newer)
            if older is not None:
                query = query.where(ReviewRow.created_at >= older)
            counts.append(connection.execute(query).scalar_one())
    return counts
