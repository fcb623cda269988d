"""Keyword arguments of the client are the fields of the API's requests, no more and no fewer."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from service.api.articles import ArticleRequest
from service.api.claims import MatchRequest
from service.api.feeds import FeedInput
from service.api.keys import KeyPatch, KeyRequest
from service.api.reviews import list_reviews
from service.api.verify import VerifyRequest
from service.api.webhooks import WebhookPatch
from service.client.fields import (
    ArticleFields,
    FeedFields,
    KeyChanges,
    KeyFields,
    LabelFields,
    MatchFields,
    ReviewFilters,
    VerifyFields,
    WebhookChanges,
)
from service.labels.request import LabelRequest


@pytest.mark.parametrize(
    ("fields", "model", "apart"),
    [
        (ArticleFields, ArticleRequest, set()),
        (FeedFields, FeedInput, set()),
        (KeyFields, KeyRequest, {"name", "role"}),
        (KeyChanges, KeyPatch, set()),
        (LabelFields, LabelRequest, set()),
        (MatchFields, MatchRequest, {"claims"}),
        (VerifyFields, VerifyRequest, set()),
        (WebhookChanges, WebhookPatch, set()),
    ],
)
def test_fields_are_those_of_the_request(fields: type, model: type[BaseModel], apart: set[str]) -> None:
    assert set(fields.__annotations__) | apart == set(model.model_fields)


def test_filters_of_reviews_are_those_of_the_route() -> None:
    ours = {"worker", "caller", "after", "limit", "return"}
    assert set(ReviewFilters.__annotations__) == set(list_reviews.__annotations__) - ours
