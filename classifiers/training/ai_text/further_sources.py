"""Texts beyond the detector's own corpus files: human prose of the claim corpora, machine texts written here.

Both make a class less of one outlet or one topic. The rows have the fields of the corpus files, so that they
pass through the same repairs.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import regex

#: Machine-written texts of the project, one LANG.jsonl per language; see the README beside them.
WRITTEN: Final = Path(__file__).parent / "written"
WRITTEN_SOURCE: Final = "written"


@dataclass(frozen=True, slots=True)
class _Passages:
    """Human passages of one claim corpus; ``joined`` to runs of that many words, 0 takes them singly."""

    source: str
    file: str
    field: str = "evidence"
    joined: int = 0


_PASSAGES: Final = {
    "tr": (
        _Passages("factchecks-tr", "factchecks/tr-fctr1000_train.jsonl.gz"),
        _Passages("posts-tr", "checkworthy/tr-1B_claim-train.jsonl.gz", "text", joined=110),
    ),
    "hu": (_Passages("rte-hu", "stance/hu-rte-train.jsonl.gz"),),
    "en": (
        _Passages("climate-fever-en", "stance/en-climate-fever.jsonl.gz", joined=130),
        _Passages("healthver-en", "stance/en-healthver-dev.jsonl.gz", joined=130),
        _Passages("fm2-en", "stance/en-fm2-dev.jsonl.gz", joined=130),
        _Passages("posts-en", "checkworthy/en-1B_claim-train.jsonl.gz", "text", joined=110),
    ),
}
_LINK_OR_HANDLE: Final = regex.compile(r"https?://\S+|[@#]\w+")


def human_passages(folder: Path, language: str) -> Iterator[dict[str, Any]]:
    """Yield the distinct human passages of a language's claim corpora; nothing where there are none.

    Short ones are joined to runs of an article's length, in the order of the file, where sentences on one
    claim stand together. They are no articles, but of authors, genres and outlets that the corpus files lack:
    encyclopaedias, medical abstracts, fact-checks, posts.
    """
    for passages in _PASSAGES.get(language, ()):
        path = folder / "claims" / passages.file
        if not path.exists():
            continue
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts = dict.fromkeys(
                " ".join(_LINK_OR_HANDLE.sub(" ", json.loads(line)[passages.field]).split()) for line in lines
            )
        for text in _runs(texts, passages.joined):
            key = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
            yield _row(f"{passages.source}-{key}", language, "human", "", "news", passages.source, text)


def _runs(texts: Iterable[str], words: int) -> Iterator[str]:
    """Join consecutive texts until each run holds ``words`` words; what is left over at the end goes."""
    run: list[str] = []
    for text in texts:
        run.append(text)
        if sum(len(part.split()) for part in run) >= words:
            yield " ".join(run)
            run = []


def written_texts(language: str) -> Iterator[dict[str, Any]]:
    """Yield the project's machine-written texts of a language."""
    path = WRITTEN / f"{language}.jsonl"
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield _row(
            row["id"], language, "ai", "frontier-llm-2026-written", row["domain"], WRITTEN_SOURCE, row["text"]
        )


def _row(
    id_: str, language: str, label: str, generator: str, domain: str, source: str, text: str
) -> dict[str, Any]:
    return {
        "id": id_,
        "lang": language,
        "label": label,
        "generator": generator,
        "domain": domain,
        "source": source,
        "group": id_,
        "text": text,
    }
