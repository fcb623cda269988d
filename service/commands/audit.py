"""`tamga audit`: many articles, or answers of chat assistants, from JSON Lines to JSON Lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any

import typer

from service.commands.jsonl import InputFile, OutputFile, Progress, process
from service.commands.session import open_runtime


def audit(
    source: InputFile,
    out: OutputFile = "-",
    checks: Annotated[str, typer.Option(help="Comma-separated: origin, claims.")] = "origin,claims",
    fpr: Annotated[float | None, typer.Option(min=0.0001, max=0.5, help="Accepted false-alarm rate.")] = None,
    store: Annotated[bool, typer.Option("--store", help="Keep the articles and their Analyses.")] = False,
    progress: Progress = None,
) -> None:
    """Analyse every article of a JSON Lines file; one line out per line in, in order."""
    from service.analysis import ALL_CHECKS, AnalysisOptions
    from service.articles import ArticleInput

    asked = [name.strip() for name in checks.split(",") if name.strip()]
    if not asked or not set(asked) <= set(ALL_CHECKS):
        raise typer.BadParameter(f"--checks takes {', '.join(ALL_CHECKS)}; got {checks!r}")
    options = AnalysisOptions(
        checks=[name for name in ALL_CHECKS if name in asked], target_fpr=fpr, store=store
    )
    with open_runtime(progress) as runtime:

        def answer(sources: Sequence[ArticleInput]) -> list[dict[str, Any]]:
            answers = []
            for item in sources:
                analysis = runtime.analyser.analyse(item, options)
                answers.append(analysis.model_dump(mode="json", include=_fields(options.checks)))
            return answers

        process(
            source, out, ArticleInput, answer, batch_size=1, label="audit", progress=progress, unique_ids=True
        )


def _fields(checks: Collection[str]) -> set[str]:
    fields = {"language", "script", "text", "truncated"}
    if "origin" in checks:
        fields.add("origin")
    if "claims" in checks:
        fields |= {
            "claims",
            "claims_status",
            "claims_reason",
            "related_records",
            "near_duplicates",
            "index_generation",
        }
    return fields
