"""Articles, claims, and the models that look at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Unpack

from service.analysis_models import Analysis
from service.api.articles import ArticlePage, ArticleSummary
from service.api.claims import CompareResponse, MatchResponse
from service.api.models import Model, ModelList, ModelSummary
from service.client.calls import Calls, path
from service.client.fields import ArticleFields, MatchFields


class ArticleCalls(Calls):
    """What needs the models."""

    def check_article(self, **article: Unpack[ArticleFields]) -> Analysis:
        """Analyse an article: `text` or `html`, and what is known about it."""
        return self._create(path("articles"), article, Analysis)

    def get_analysis(self, article_id: str) -> Analysis:
        """The latest stored Analysis of an article."""
        return self._get(path("articles", article_id), Analysis)

    def list_articles(self) -> Iterator[ArticleSummary]:
        """All stored articles, the newest first, fetched page by page."""
        return self._pages(path("articles"), ArticlePage, lambda page: (page.items, page.next))

    def match_claims(
        self, claims: Sequence[str | Mapping[str, Any]], **options: Unpack[MatchFields]
    ) -> MatchResponse:
        """The best records for up to 100 statements: texts, or `{"text", "language"?, "published_at"?}`."""
        asked = [{"text": claim} if isinstance(claim, str) else dict(claim) for claim in claims]
        return self._ask(path("claims", "match"), {"claims": asked, **options}, MatchResponse)

    def compare_claims(self, pairs: Sequence[tuple[str, str]]) -> CompareResponse:
        """Does the evidence support the claim? For up to 100 pairs of claim and evidence."""
        asked = [{"claim": claim, "evidence": evidence} for claim, evidence in pairs]
        return self._ask(path("claims", "compare"), {"pairs": asked}, CompareResponse)

    def list_models(self) -> list[ModelSummary]:
        """The models that analyses are made with."""
        return self._get(path("models"), ModelList).items

    def get_model(self, name: str) -> Model:
        """One model with its card."""
        return self._get(path("models", name), Model)
