"""The programs that are compared, each in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from bench.pipeline.library import BenchArticle
from bench.pipeline.outcome import Outcome, Shown

TAMGA, NAIVE, SPARING = "tamga", "naive", "naive, stances of shown matches only"
PROGRAMS = (TAMGA, NAIVE, SPARING)


def tamga(home: Path) -> Callable[[BenchArticle], Outcome]:
    """The service's own use case, with nothing remembered from one article to the next."""
    from service.articles import ArticleInput
    from service.runtime import Runtime
    from service.settings import load_settings

    runtime = Runtime(load_settings(home=home, remembered_texts=0))
    runtime.load()

    def analyse(article: BenchArticle) -> Outcome:
        found = runtime.analyser.analyse(ArticleInput(text=article.text, language=article.language))
        origin = found.origin.score if found.origin is not None else None
        return Outcome(
            origin or 0.0,
            {
                claim.text: [
                    Shown(match.record_id, match.similarity, match.stance, match.stance_scores)
                    for match in claim.matches
                ]
                for claim in found.claims
            },
        )

    return analyse


def work(name: str, home: Path, data: Path, records: int, pipe: Connection) -> None:
    """Load one program, then analyse what arrives and answer (seconds, outcomes)."""
    if name == TAMGA:
        analyse = tamga(home)
    else:
        import transformers

        from bench.pipeline.naive import NaiveStack

        transformers.logging.disable_progress_bar()
        transformers.logging.set_verbosity_error()
        analyse = NaiveStack(home, data, records, shown_only=name == SPARING).analyse
    pipe.send("ready")
    while (given := pipe.recv()) is not None:
        started = time.perf_counter()
        outcomes = [analyse(article) for article in given]
        pipe.send((time.perf_counter() - started, outcomes))
