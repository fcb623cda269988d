"""`tamga samples`: the sample records and articles that come with Tamga, all marked as samples."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.jsonl import Progress, write_line
from service.commands.session import open_runtime

if TYPE_CHECKING:
    from service.runtime import Runtime
    from service.samples import SampleArticle

log = logging.getLogger(__name__)

app = typer.Typer(help="Sample records and articles to try Tamga with.")


def load_samples(runtime: Runtime) -> Counter[str]:
    """Add the sample records; returns how many were added, updated or unchanged."""
    from service.samples import sample_records

    outcomes: Counter[str] = Counter(
        outcome.status for outcome in runtime.library.ingest.add(sample_records())
    )
    runtime.library.save()
    return outcomes


def load_samples_if_empty(runtime: Runtime) -> None:
    """Add the sample records to an index without records: never mix samples into a newsroom's own records
    unasked.
    """
    if runtime.library.store.records.count() == 0:
        outcomes = load_samples(runtime)
        log.info("the index was empty: %d sample records loaded", outcomes["added"])


@app.command()
def load(progress: Progress = None) -> None:
    """Add the sample records to the index. Loading them again changes nothing."""
    with open_runtime(progress) as runtime:
        outcomes = load_samples(runtime)
    typer.echo(", ".join(f"{count} {status}" for status, count in sorted(outcomes.items())), err=True)


@app.command()
def articles(
    article_id: Annotated[str | None, typer.Argument(metavar="ID", help="Only this one.")] = None,
    text: Annotated[bool, typer.Option("--text", help="Only the plain text, for `tamga check -`.")] = False,
    request: Annotated[bool, typer.Option("--request", help="As body for POST /v1/articles.")] = False,
) -> None:
    """Print the sample articles as JSON Lines, as `tamga audit` reads them."""
    from service.samples import sample_articles

    known = sample_articles()
    chosen = [article for article in known if article_id in (None, article.id)]
    if not chosen:
        raise typer.BadParameter(
            f"no sample article {article_id!r}; there are {', '.join(item.id for item in known)}"
        )
    for article in chosen:
        if text:
            sys.stdout.write(article.text.rstrip("\n") + "\n")
        elif request:
            sys.stdout.write(json.dumps(_metadata(article), ensure_ascii=False, indent=2) + "\n")
        else:
            write_line(sys.stdout, {"id": article.id, **_metadata(article)})


def _metadata(article: SampleArticle) -> dict[str, str]:
    fields = {
        "title": article.title,
        "outlet": article.outlet,
        "published_at": article.published_at.isoformat(),
        "language": article.language,
        "text": article.text,
    }
    return fields if article.declared is None else {**fields, "declared": article.declared}
