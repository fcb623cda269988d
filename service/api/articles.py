"""Articles: send one, get its Analysis; ask for a stored Analysis again."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from index.times import Moment
from service.analysis import ALL_CHECKS, AnalysisOptions
from service.analysis_models import Analysis, CheckName
from service.api.access import requires
from service.api.idempotency import idempotent
from service.api.problems import responses
from service.api.state import Worker
from service.articles import ArticleInput
from service.errors import NotFound
from service.runtime import Runtime

router = APIRouter(prefix="/v1/articles", tags=["articles"])

MAX_PAGE: Final = 500


class ArticleRequest(ArticleInput):
    """An article and what to find out about it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "text": "Қазақстан Республикасының астанасы 1997 жылы Алматыдан Ақмолаға көшірілді.",
                    "title": "Астана туралы",
                    "outlet": "Мысал газеті",
                    "published_at": "2026-03-01",
                    "language": "kk",
                }
            ]
        },
    )

    checks: list[CheckName] = Field(default=list(ALL_CHECKS), min_length=1, max_length=len(ALL_CHECKS))
    store: bool = Field(
        True, description="Keep the article and its Analysis; later copies are then recognised."
    )
    target_fpr: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="False alarms accepted among human texts; default is the server's setting.",
    )
    as_of: Moment | None = Field(
        None, description="Match only records that were valid on that day or at that moment."
    )


class ArticleSummary(BaseModel):
    """A stored article without its text."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str | None
    outlet: str | None
    url: str | None
    language: str | None
    published_at: str | None
    created_at: AwareDatetime = Field(description="When it was sent for the first time.")
    text_dropped_at: AwareDatetime | None = Field(
        description="When its text was dropped because it was old; null: it is kept."
    )


class ArticlePage(BaseModel):
    """Articles, the last one that was new first."""

    items: list[ArticleSummary]
    next: str | None = Field(description="Pass as `after` to get the next page; null on the last one.")


@router.post(
    "",
    status_code=201,
    dependencies=[requires("articles:write"), idempotent],
    responses={
        200: {"model": Analysis, "description": "Analysed and not stored"},
        **responses(400, 401, 403, 408, 409, 413, 415, 422, 429, 503),
    },
)
async def create_analysis(body: ArticleRequest, worker: Worker, response: Response) -> Analysis:
    """Analyse an article. Answers 201 with a Location if it was stored, 200 if not."""
    options = AnalysisOptions(
        checks=body.checks, target_fpr=body.target_fpr, as_of=body.as_of, store=body.store
    )
    analysis = await worker.run(
        lambda runtime: runtime.analyser.analyse(body, options),
        characters=len(body.text or body.html or ""),
    )
    if analysis.stored:
        response.headers["Location"] = f"/v1/articles/{analysis.id}"
    else:
        response.status_code = 200
    return analysis


@router.get("", dependencies=[requires("articles:read")], responses=responses(401, 403, 422, 503))
async def list_articles(
    worker: Worker,
    after: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> ArticlePage:
    """The articles that were stored, page by page; the Analysis of each stands under its id."""
    found = await worker.read(lambda runtime: runtime.store.articles.heads(after, limit + 1))
    page = [ArticleSummary.model_validate(head) for head in found[:limit]]
    return ArticlePage(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/{article_id}",
    dependencies=[requires("articles:read")],
    response_model=Analysis,
    responses=responses(401, 403, 404, 422, 503),
)
async def get_analysis(article_id: Annotated[str, Path(max_length=200)], worker: Worker) -> Any:
    """The latest stored Analysis of an article."""

    def read(runtime: Runtime) -> dict[str, Any] | None:
        return runtime.store.articles.analysis(article_id)

    stored = await worker.read(read)
    if stored is None:
        raise NotFound("No article is stored under this id.")
    return stored
