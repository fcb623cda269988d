"""Claims: match statements against the index, or compare a statement with given evidence."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from classifiers.stance import ClaimEvidence
from classifiers.text import identify_language
from index.records import Text
from index.times import Moment
from service.analysis_models import ClaimMatches, Mismatch, Stance
from service.api.access import requires
from service.api.problems import responses
from service.api.state import Worker
from service.articles import LANGUAGE_TAG
from service.matching import ClaimQuery, base_language, compare_pairs
from service.runtime import Runtime

router = APIRouter(prefix="/v1/claims", tags=["claims"])

MAX_CLAIMS: Final = 100
MAX_CLAIM_CHARS: Final = 10_000

MATCH_EXAMPLE: Final[JsonDict] = {
    "claims": [{"text": "Қазақстан астанасы 1997 жылы Ақмолаға көшірілді.", "language": "kk"}],
    "top_k": 3,
}
COMPARE_EXAMPLE: Final[JsonDict] = {
    "pairs": [
        {
            "claim": "The capital was moved in 1995.",
            "evidence": "Столицу перенесли в декабре 1997 года.",
        }
    ]
}


def _says_something(text: str) -> str:
    if not any(character.isalnum() for character in text):
        raise ValueError("holds no letters or digits")
    return text


Statement = Annotated[Text, Field(max_length=MAX_CLAIM_CHARS), AfterValidator(_says_something)]
LanguageTag = Annotated[str, Field(pattern=LANGUAGE_TAG)]


class Query(BaseModel):
    """A statement to look up."""

    model_config = ConfigDict(extra="forbid")

    text: Statement
    language: LanguageTag | None = None
    published_at: Moment | None = Field(
        None, description='When it was said: gives words such as "yesterday" their date.'
    )


class MatchRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [MATCH_EXAMPLE]})

    claims: list[Query] = Field(min_length=1, max_length=MAX_CLAIMS)
    top_k: int = Field(5, ge=1, le=50)
    as_of: Moment | None = Field(
        None, description="Only records that were valid on that day or at that moment."
    )
    languages: list[LanguageTag] | None = Field(
        None, min_length=1, max_length=50, description="Only records in these."
    )
    publishers: list[str] | None = Field(
        None, min_length=1, max_length=50, description="Only records by these."
    )
    group: bool = Field(
        False,
        description="One match for all records of the same claim, the others in its `other_records`; "
        "without, they follow each other and name the first in `duplicate_of`.",
    )


class MatchResponse(BaseModel):
    """One result per claim, in order."""

    results: list[ClaimMatches]
    index_generation: int


class Pair(BaseModel):
    """A claim and the evidence to hold it against."""

    model_config = ConfigDict(extra="forbid")

    claim: Statement
    evidence: Statement
    language: LanguageTag | None = None
    evidence_language: LanguageTag | None = None


class CompareRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [COMPARE_EXAMPLE]})

    pairs: list[Pair] = Field(min_length=1, max_length=MAX_CLAIMS)


class Comparison(BaseModel):
    """What the evidence says about the claim."""

    stance: Stance
    scores: dict[str, float]
    abstained: bool
    mismatches: list[Mismatch]


class CompareResponse(BaseModel):
    """One result per pair, in order."""

    results: list[Comparison]
    model: str


@router.post(
    "/match",
    dependencies=[requires("claims:read")],
    responses=responses(400, 401, 403, 408, 413, 415, 422, 429, 503),
)
async def match_claims(body: MatchRequest, worker: Worker) -> MatchResponse:
    """The best `top_k` records for each claim, probable or not, with calibrated probabilities and stances."""

    def match(runtime: Runtime) -> MatchResponse:
        queries = [
            ClaimQuery(claim.text, base_language(claim.language), claim.published_at) for claim in body.claims
        ]
        with runtime.observer.phase("match"):
            results = runtime.matcher.match(
                queries,
                top_k=body.top_k,
                as_of=body.as_of,
                languages=body.languages,
                publishers=body.publishers,
                group=body.group,
            )
        return MatchResponse(results=results, index_generation=runtime.library.records.generation)

    return await worker.run(match, characters=sum(len(claim.text) for claim in body.claims))


@router.post(
    "/compare",
    dependencies=[requires("claims:read")],
    responses=responses(400, 401, 403, 408, 413, 415, 422, 429, 503),
)
async def compare_claims(body: CompareRequest, worker: Worker) -> CompareResponse:
    """Does the evidence support the claim, contradict it, or neither?"""

    def compare(runtime: Runtime) -> CompareResponse:
        pairs = [
            ClaimEvidence(
                pair.claim,
                pair.evidence,
                base_language(pair.language) or identify_language(pair.claim).code,
                base_language(pair.evidence_language) or identify_language(pair.evidence).code,
            )
            for pair in body.pairs
        ]
        with runtime.observer.phase("compare"):
            results = compare_pairs(pairs, encoder=runtime.encoder, stance=runtime.stance)
        return CompareResponse(
            results=[Comparison.model_validate(result, from_attributes=True) for result in results],
            model=runtime.stance.model_version,
        )

    characters = sum(len(pair.claim) + len(pair.evidence) for pair in body.pairs)
    return await worker.run(compare, characters=characters)
