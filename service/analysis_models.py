"""The Analysis: what the service answers about one article. These models are the HTTP schema and the JSON of
the command line at once; offsets count Unicode code points of the text as sent (of `text`, for HTML),
half-open.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from service.labels.model import Basis, HumanReview, Involvement, ReviewReason, State, Status
from service.labels.model import Evidence as LabelEvidence

Verdict = Literal["likely_ai_unconfirmed", "undetermined"]
Stance = Literal["supports", "contradicts", "not_enough_info"]
ClaimStatus = Literal["matched", "related", "no_match", "abstained"]
MatchLevel = Literal["link", "suggest", "none"]
ClaimsStatus = Literal["done", "abstained", "not_requested"]
CheckName = Literal["origin", "claims"]


class TextSpan(BaseModel):
    start: int
    end: int


class Segment(TextSpan):
    """A stretch of the text with its own score, so that mixed authorship shows."""

    score: float
    verdict: Verdict


class Calibration(BaseModel):
    """The human texts that the p-value was measured against."""

    language: str
    length_bin: str = Field(examples=["100-199"])
    n: int
    pooled: bool = Field(description="True if languages of one family were put together for want of texts.")


class Feature(BaseModel):
    """A measured property of the text, with its percentile among human texts of the language."""

    name: str
    value: float
    percentile: float = Field(description="Percent of human texts of the language with a smaller value.")
    machine_like: Literal["low", "high"] = Field(description="The end at which machine texts lie.")


class Signal(BaseModel):
    """Something about the origin that is read, not estimated."""

    type: Literal[
        "declaration",
        "c2pa",
        "jsonld",
        "microdata",
        "html_meta",
        "html_attribute",
        "watermark_green_list",
        "watermark_synthid",
        "hidden_characters",
    ]
    outcome: Literal["ai", "human", "none", "inconclusive"] = Field(
        description="none: looked for and not found, which proves nothing."
    )
    detail: dict[str, Any]
    tool: str


class LabelProposal(BaseModel):
    """A label that could be issued, or why a person has to look first. The detector alone never confirms."""

    state: State
    involvement: Involvement
    human_review: HumanReview
    basis: Basis
    status: Status = Field(description="active: it may be issued as it stands.")
    review_reasons: list[ReviewReason]
    evidence: list[LabelEvidence] = Field(
        default_factory=list,
        description="What was weighed; a reviewer who sets some of it aside names its id.",
    )


class Origin(BaseModel):
    """Where the text seems to come from. A detector never says more than `likely_ai_unconfirmed`."""

    verdict: Verdict
    score: float | None = Field(
        description="Monotone in 'more likely machine-written', one scale for all languages."
    )
    p_value: float | None = Field(
        description="Share of human texts of the cell that score at least this high."
    )
    target_fpr: float
    abstain_reason: str | None
    calibration: Calibration | None
    segments: list[Segment]
    fraction_machine: float | None
    kinds: dict[str, float] | None
    features: list[Feature]
    signals: list[Signal]
    label: LabelProposal = Field(description="What this would be labelled as, on this evidence.")


class Mismatch(BaseModel):
    """Two values that should agree and do not."""

    type: str = Field(examples=["number"])
    claim_value: str
    source_value: str


class Evidence(TextSpan):
    """The words quoted from a record; offsets count in the record's `field`."""

    text: str
    field: Literal["claim", "title", "text"]


class OtherRecord(BaseModel):
    """Another record of the same claim."""

    record_id: str
    publisher: str | None
    url: str | None
    rating: str | None
    published_at: date | datetime | None


class Match(BaseModel):
    """A record that may be about the same factual statement as a claim."""

    record_id: str
    score: float = Field(
        description="Retrieval score, -1 to 1: similarity to the nearest words of the record, shared words "
        "counted in. Matches are ordered by it within a pair of languages."
    )
    similarity: float = Field(description="Cosine similarity of claim and evidence.")
    probability: float = Field(
        description="Calibrated probability that both are about the same factual statement."
    )
    level: MatchLevel = Field(
        description="link: probable enough to be linked without asking; suggest: to be shown; none: neither."
    )
    stance: Stance
    stance_scores: dict[str, float]
    stance_abstained: bool
    mismatches: list[Mismatch]
    evidence: Evidence
    claim: str = Field(description="The claim that the record verifies.")
    title: str | None
    language: str | None
    publisher: str | None
    url: str | None
    rating: str | None = Field(description="The publisher's own words.")
    published_at: date | datetime | None
    sample: bool
    warnings: list[str] = Field(description="For instance superseded, dates_differ, rated_false.")
    newer_record_id: str | None = Field(
        None, description="A record that replaces this one, or a later one of the same claim."
    )
    duplicate_of: str | None = Field(
        None, description="The match before this one that verifies the same claim, where both are listed."
    )
    other_records: list[OtherRecord] = Field(
        default_factory=list, description="Further records of the same claim, where these are grouped."
    )


class ClaimMatches(BaseModel):
    """What the index knows about one claim."""

    status: ClaimStatus
    reason: str | None = Field(
        None, description="Why the status is abstained or no_match, or related although a match is probable."
    )
    matches: list[Match]


class Claim(TextSpan, ClaimMatches):
    """A check-worthy sentence of the article."""

    text: str
    worthiness: float = Field(description="How likely the sentence states something that can be checked.")
    priority: float | None = Field(
        None,
        description="How likely fact-checkers would take it up: for sorting the claims of an article. Null "
        "in analyses made before there was this field.",
    )


class RelatedRecord(BaseModel):
    """A record near to the article as a whole."""

    record_id: str
    score: float
    claim: str
    title: str | None
    language: str | None
    publisher: str | None
    url: str | None
    published_at: date | datetime | None
    sample: bool


class NearDuplicate(BaseModel):
    """An article analysed before that shares text with this one (agency copy)."""

    article_id: str
    similarity: float = Field(description="Mean best cosine similarity over the windows of this article.")
    shared_text: float = Field(
        description="Share of this article's word 5-grams that the other one contains."
    )
    title: str | None
    outlet: str | None
    published_at: date | datetime | None


class Truncated(BaseModel):
    """What was left out of a very long text. Nothing is left out silently."""

    sentences: bool = Field(description="Later sentences were not examined as claims.")
    windows: bool = Field(description="Later windows were not embedded for related records and duplicates.")


class Analysis(BaseModel):
    """The answer about one article."""

    id: str
    created_at: datetime
    stored: bool
    language: str = Field(description="az kk ky tr uz tk hu ru en, or other.")
    script: str = Field(description="ISO 15924 code.")
    language_confidence: float | None = Field(description="Null when the caller stated the language.")
    text: str | None = Field(description="The text taken out of HTML; null when plain text was sent.")
    text_dropped_at: datetime | None = Field(
        None, description="When text and quotations were dropped, if the service keeps texts for a time only."
    )
    title: str | None
    sentences: list[TextSpan]
    origin: Origin | None = Field(description="Null if the check was not asked for.")
    claims: list[Claim]
    claims_status: ClaimsStatus
    claims_reason: str | None = None
    related_records: list[RelatedRecord]
    near_duplicates: list[NearDuplicate]
    models: dict[str, str] = Field(description="Name of each model used -> its version.")
    index_generation: int
    timings: dict[str, float] = Field(description="Seconds by phase.")
    truncated: Truncated
