"""Texts beyond the detector's own corpus files: human prose of the claim corpora, machine texts written here.

Both make a class less of one outlet or one topic. The rows have the fields of the corpus files, so that they
pass through the same repairs.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

#: Machine-written texts of the project, one LANG.jsonl per language; see the README beside them.
WRITTEN: Final = Path(__file__).parent / "written"
WRITTEN_SOURCE: Final = "written"

#: language -> (source name, file under ``claims/``): long human passages that stand there as evidence.
_EVIDENCE: Final = {
    "tr": ("factchecks-tr", "factchecks/tr-fctr1000_train.jsonl.gz"),
    "hu": ("rte-hu", "stance/hu-rte-train.jsonl.gz"),
}


def human_evidence(folder: Path, language: str) -> Iterator[dict[str, Any]]:
    """Yield the distinct evidence passages of a language's claim corpus; nothing where there is none.

    They are short for articles, but of other authors and outlets than the corpus files.
    """
    if language not in _EVIDENCE:
        return
    source, name = _EVIDENCE[language]
    path = folder / "claims" / name
    if not path.exists():
        return
    seen: set[str] = set()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line)["evidence"]
            if text in seen:
                continue
            seen.add(text)
            key = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
            yield _row(f"{source}-{key}", language, "human", "", "news", source, text)


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
