"""A review desk on both databases, with articles whose analyses are given: no models."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from index.articles import Article, EmbeddedArticle
from service.auth.scopes import Caller, Role, scopes_of
from service.labels.issuing import LabelDesk
from service.labels.opening import LabelOffice
from service.labels.request import LabelRequest
from service.reviews.cases import Case, case_of_analysis, opinions_wanted
from service.reviews.desk import ReviewDesk
from service.reviews.model import LabelDecision, MatchDecision, ReviewDecision
from service.settings import load_settings
from service.store import Store, open_store
from service.store.review_changes import open_case
from service.store.reviews import StoredReview

LOCK = timedelta(minutes=15)
SENTENCE = "Zavodda 320 nəfər işləyir."
CLAIM = {"start": 0, "end": len(SENTENCE), "text": SENTENCE, "worthiness": 0.9, "status": "matched"}
EMBEDDED = EmbeddedArticle((), np.zeros((0, 4), np.float32), 0)


def person(name: str, role: Role = "reviewer") -> Caller:
    return Caller(f"acc_{name}", name.title(), scopes_of(role))


ANNA, BEK, EDITOR = person("anna"), person("bek"), person("chief", "editor")


class Clock:
    """A clock that tests move on."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def analysis_of(article: Article, **changes: Any) -> Any:
    """An analysis as the analyser makes it: suspected, with one contradicted claim, unless changed."""
    from service.analysis_models import Analysis

    evidence = changes.pop("evidence", [])
    label = {
        "state": "likely_ai_unconfirmed",
        "involvement": "unknown",
        "human_review": "unknown",
        "basis": "statistical_detector",
        "status": "draft",
        "review_reasons": ["likely_ai"],
        "evidence": evidence,
        **changes.pop("label", {}),
    }
    origin = {
        "verdict": "likely_ai_unconfirmed",
        "score": 3.1,
        "p_value": 0.002,
        "target_fpr": 0.01,
        "abstain_reason": None,
        "calibration": None,
        "segments": [],
        "fraction_machine": None,
        "kinds": None,
        "features": [],
        "signals": [],
        "label": label,
        **changes.pop("origin", {}),
    }
    match = {
        "record_id": "r1",
        "score": 0.9,
        "similarity": 0.9,
        "probability": 0.95,
        "level": "link",
        "stance": "contradicts",
        "stance_scores": {"contradicts": 0.9},
        "stance_abstained": False,
        "mismatches": [{"type": "number", "claim_value": "320", "source_value": "120"}],
        "evidence": {"start": 0, "end": 5, "text": "Fabrikada 120 işçi var.", "field": "claim"},
        "claim": "Fabrikada 120 işçi var.",
        "title": None,
        "language": "az",
        "publisher": "Example Daily",
        "url": None,
        "rating": None,
        "published_at": None,
        "sample": False,
        "warnings": [],
        **changes.pop("match", {}),
    }
    values = {
        "id": article.id,
        "created_at": datetime.now(UTC),
        "stored": True,
        "language": article.language or "az",
        "script": "Latn",
        "language_confidence": 0.99,
        "text": None,
        "title": article.title,
        "sentences": [],
        "origin": origin,
        "claims": [{**CLAIM, "matches": [match]}],
        "claims_status": "done",
        "related_records": [],
        "near_duplicates": [],
        "models": {"ai_text": "7", "stance": "3"},
        "index_generation": 4,
        "timings": {},
        "truncated": {"sentences": False, "windows": False},
        **changes,
    }
    return Analysis.model_validate(values)


class Newsroom:
    """Store, labels and reviews of one home."""

    _numbers = itertools.count()

    def __init__(self, url: str, home: Path) -> None:
        self.settings = load_settings(home=home, public_url="https://news.example")
        self.store: Store = open_store(url)
        self.labels: LabelDesk = LabelOffice(self.settings).desk(self.store)
        self.clock = Clock()
        self.desk = ReviewDesk(self.store, lambda: self.labels, lock=LOCK, clock=self.clock)

    def article(self, *, opinions: int = 1, outlet: str = "Example Daily", **changes: Any) -> str:
        """Store an article with an analysis, as `Analyser` does; returns its id."""
        number = next(self._numbers)
        text = f"{SENTENCE} Bu {number} saylı mətndir."
        article = Article(id=f"art_{number}", text=text, title="Zavod", language="az", outlet=outlet)
        analysis = analysis_of(article, **changes)
        case = case_of_analysis(article, analysis)

        def also(connection: Any) -> None:
            if case is not None:
                open_case(connection, case, opinions_wanted=opinions)

        self.store.articles.save(
            article,
            EMBEDDED,
            model_id="none",
            analysis=analysis.model_dump(mode="json"),
            versions=analysis.models,
            index_generation=4,
            also=also,
        )
        return article.id

    def review(self, **how: Any) -> StoredReview:
        """A fresh review of a fresh article."""
        review = self.store.reviews.of_article(self.article(**how))
        assert review is not None
        return review

    def label(self, **fields: Any) -> Any:
        """Ask for a label of a text that is not stored."""
        values = {"text": f"{SENTENCE} {next(self._numbers)}", "language": "az", **fields}
        return self.labels.issue(LabelRequest(**values))

    def open(self, case: Case) -> str:
        with self.store.database.writing() as connection:
            return open_case(connection, case, opinions_wanted=opinions_wanted(case.subject, 0))


def label(action: str = "change", involvement: str | None = "generated", **more: Any) -> LabelDecision:
    involved = involvement if action == "change" else None
    return LabelDecision.model_validate({"action": action, "involvement": involved, **more})


def decision(action: str = "change", involvement: str | None = "generated", **more: Any) -> ReviewDecision:
    return ReviewDecision(label=label(action, involvement, **more), note="looked at it")


def match(verdict: str = "confirm", **more: Any) -> MatchDecision:
    return MatchDecision.model_validate({"claim_start": 0, "record_id": "r1", "verdict": verdict, **more})
