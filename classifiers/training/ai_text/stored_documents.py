"""Repaired, canonical documents kept between stages: reading thirty thousand texts anew takes minutes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from classifiers.training.ai_text.corpus import (
    Document,
    drop_copies,
    join_near_duplicates,
    languages_in,
    load_documents,
    load_written,
)


def build_documents(data: Path, stored: Path) -> list[Document]:
    """Read every language under ``data`` and our own texts; join duplicates, drop copies, write all."""
    documents: list[Document] = []
    for language in tqdm(languages_in(data), desc="reading corpora", unit="language"):
        documents.extend(load_documents(data, language))
        documents.extend(load_written(language))
    documents = drop_copies(join_near_duplicates(documents))
    save_documents(documents, stored)
    return documents


def save_documents(documents: Sequence[Document], stored: Path) -> None:
    """Write documents, one JSON line each, whole or not at all."""
    stored.parent.mkdir(parents=True, exist_ok=True)
    partial = stored.with_suffix(".partial")
    with gzip.open(partial, "wt", encoding="utf-8", compresslevel=4) as lines:
        for document in documents:
            lines.write(json.dumps(asdict(document), ensure_ascii=False) + "\n")
    partial.replace(stored)


def load_stored(stored: Path) -> list[Document]:
    """Read what :func:`save_documents` wrote.

    Raises:
        FileNotFoundError: the documents stage has not run.
    """
    with gzip.open(stored, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Document(**{**row, "sentences": tuple(row["sentences"])}) for row in rows]
