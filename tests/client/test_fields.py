"""Keyword arguments of the client are the fields of the API's requests, no more and no fewer."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from service.api.articles import ArticleRequest
from service.api.claims import MatchRequest
from service.api.verify import VerifyRequest
from service.client.fields import ArticleFields, LabelFields, MatchFields, VerifyFields
from service.labels.request import LabelRequest


@pytest.mark.parametrize(
    ("fields", "model", "apart"),
    [
        (ArticleFields, ArticleRequest, set()),
        (LabelFields, LabelRequest, set()),
        (MatchFields, MatchRequest, {"claims"}),
        (VerifyFields, VerifyRequest, set()),
    ],
)
def test_fields_are_those_of_the_request(fields: type, model: type[BaseModel], apart: set[str]) -> None:
    assert set(fields.__annotations__) | apart == set(model.model_fields)
