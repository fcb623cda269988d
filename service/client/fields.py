"""The fields of requests that have many, as keyword arguments. A test holds them against the API's models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Required, TypedDict

from index.feeds import FeedKind
from service.analysis_models import CheckName
from service.articles import Involvement
from service.auth.scopes import Role, Scope
from service.reviews.model import Kind, ReviewState, Stage
from service.webhooks.events import EventName


class ArticleFields(TypedDict, total=False):
    """See `service.api.articles.ArticleRequest`."""

    text: str
    html: str
    title: str
    outlet: str
    url: str
    published_at: str
    language: str
    declared: Involvement | bool
    checks: Sequence[CheckName]
    store: bool
    target_fpr: float
    as_of: str


class FeedFields(TypedDict, total=False):
    """See `service.api.feeds.FeedInput`."""

    url: Required[str]
    kind: Required[FeedKind]
    publisher: str
    language: str
    every_seconds: int
    complete: bool


class KeyFields(TypedDict, total=False):
    """See `service.api.keys.KeyRequest`."""

    scopes: Sequence[Scope]
    expires_at: str


class KeyChanges(TypedDict, total=False):
    """See `service.api.keys.KeyPatch`."""

    name: str
    role: Role
    scopes: Sequence[Scope] | None
    expires_at: str | None


class LabelFields(TypedDict, total=False):
    """See `service.labels.request.LabelRequest`."""

    text: str
    html: str
    file: str
    manifest: str
    article_id: str
    headers: Mapping[str, str]
    title: str
    url: str
    language: str
    translation_of: str
    declared: Involvement | bool
    declared_by: str
    human_review: str
    ai_tasks: Sequence[str]
    ai_system: Mapping[str, Any]
    segments: Sequence[Mapping[str, Any]]
    editorial_responsibility: Mapping[str, Any]
    decision: Mapping[str, Any]
    jurisdictions: Sequence[str]
    public_interest: bool
    imitates_person_or_unreal_event: bool
    valid_to: str
    actor: str


class MatchFields(TypedDict, total=False):
    """See `service.api.claims.MatchRequest`."""

    top_k: int
    as_of: str
    languages: Sequence[str]
    publishers: Sequence[str]
    group: bool


class ReviewFilters(TypedDict, total=False):
    """See `GET /v1/reviews`."""

    state: ReviewState | Literal["undecided"]
    stage: Stage
    language: str
    outlet: str
    kind: Kind
    mine: bool
    sort: Literal["risk", "age"]


class VerifyFields(TypedDict, total=False):
    """See `service.api.verify.VerifyRequest`."""

    jws: str
    text: str
    html: str
    file: str
    manifest: str


class WebhookChanges(TypedDict, total=False):
    """See `service.api.webhooks.WebhookPatch`."""

    url: str
    events: Sequence[EventName] | None
    description: str | None
    enabled: bool
