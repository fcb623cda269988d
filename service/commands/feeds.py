"""`tamga feeds`: add, list, refresh and remove feeds of verified reporting."""

from __future__ import annotations

import dataclasses
import sys
from typing import Annotated, Literal

import typer

from service.commands.jsonl import Progress, write_line
from service.commands.session import open_runtime

app = typer.Typer(help="Feeds of verified reporting.")

Kind = Literal["claimreview", "syndication", "news-sitemap", "jsonl", "csv", "parquet"]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Address of the feed.")],
    kind: Annotated[Kind, typer.Option(help="What the address answers with.")],
    publisher: Annotated[str | None, typer.Option(help="Publisher of items that name none.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of items that name none.")] = None,
    every: Annotated[int, typer.Option(min=60, help="Seconds between two refreshes.")] = 3600,
    complete: Annotated[
        bool, typer.Option("--complete", help="An answer holds everything: what is missing was taken back.")
    ] = False,
) -> None:
    """Add a feed, or change the one at this address. It is fetched at the next refresh."""
    from index.records import language_code
    from service.feeds import new_feed

    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter("a feed has an http or https address")
    try:
        code = language_code(language)
    except ValueError as error:
        raise typer.BadParameter(f"--language {error}") from error
    feed = new_feed(url, kind, publisher=publisher, language=code, every_seconds=every, complete=complete)
    with open_runtime(False) as runtime:
        added = runtime.store.feeds.add(feed)
    write_line(sys.stdout, {"id": feed.id, "status": "added" if added else "updated"})


@app.command(name="list")
def list_feeds() -> None:
    """Print every feed with its state, one JSON line each."""
    with open_runtime(False) as runtime:
        for feed in runtime.store.feeds.list():
            row = dataclasses.asdict(feed)
            for name in ("next_at", "last_at"):
                row[name] = row[name].isoformat() if row[name] is not None else None
            write_line(sys.stdout, row)


@app.command()
def remove(feed_id: Annotated[str, typer.Argument(help="Id of the feed.")]) -> None:
    """Remove a feed; the records that came from it stay."""
    from service.errors import NotFound

    with open_runtime(False) as runtime:
        if not runtime.store.feeds.remove(feed_id):
            raise NotFound("No feed has this id.")


@app.command()
def refresh(
    feed_id: Annotated[str | None, typer.Argument(help="Id of a feed; by default all that are due.")] = None,
    progress: Progress = None,
) -> None:
    """Fetch feeds and take in what they hold. One JSON line per feed; exit 1 if one of them failed."""
    from service.errors import NotFound
    from service.feeds import FeedRefresh, fetcher_of
    from service.records import RecordIngest

    failed = False
    with open_runtime(progress) as runtime:
        fetcher = fetcher_of(runtime.settings)
        refreshing = FeedRefresh(
            runtime.store, RecordIngest(runtime.store.records, runtime.search_encoder), fetcher
        )
        results = refreshing.due()
        if feed_id is not None:
            feed = runtime.store.feeds.get(feed_id)
            if feed is None:
                raise NotFound("No feed has this id.")
            results = refreshing.refresh(feed)
        for result in results:
            failed = failed or result.error is not None
            write_line(sys.stdout, dataclasses.asdict(result))
            sys.stdout.flush()
    if failed:
        raise typer.Exit(1)
