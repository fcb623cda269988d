"""Reading the claim corpora and this project's own check-worthiness examples."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
_LINK = re.compile(r"https?://\S+|pic\.twitter\.com/\S+")
_BEFORE_MARK = re.compile(r"\s+([,.;:!?%)\]»”])")
_INSIDE_BRACKETS = re.compile(r"([(\[«“])\s+")
_QUOTED = re.compile(r'"\s*([^"]*?)\s*"')
_MENTIONS_AHEAD = re.compile(r"^(?:\s*@\w+)+\s*")


def read_rows(path: Path) -> list[Row]:
    """Rows of a ``.jsonl`` or ``.jsonl.gz`` file. Raises FileNotFoundError naming the file when it is
    missing.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"no corpus file {path}: --data must name the folder that holds claims/ and ai_text/"
        )
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def calibration_documents(data: Path) -> set[str]:
    """Documents of the parallel sentences that no encoder is trained on: those the written stance set is
    built on. Heads, curves and thresholds are fitted and measured there.
    """
    written = {row["row"] for row in read_rows(data / "claims" / "stance" / "turkic-variants.jsonl.gz")}
    rows = read_rows(data / "claims" / "parallel" / "ntrex.jsonl.gz")
    return {row["doc"] for row in rows if row["row"] in written}


def parallel_pairs(data: Path) -> Iterator[tuple[str, str, list[Row]]]:
    """The two-language sets: both codes and the rows, their tokens joined to plain text again."""
    for path in sorted((data / "claims" / "parallel").glob("xwmt-*.jsonl.gz")):
        _, one, other = path.name.split(".")[0].split("-")
        yield one, other, [{k: plain(text) for k, text in row.items()} for row in read_rows(path)]


def plain(tokens: str) -> str:
    """Text from tokens set apart by blanks: none before closing marks, none inside quotes."""
    text = _BEFORE_MARK.sub(r"\1", tokens)
    text = _INSIDE_BRACKETS.sub(r"\1", text)
    return _QUOTED.sub(r'"\1"', text).strip()


def clean_post(text: str) -> str:
    """A post as news text would have it: no links, no leading mentions, hashtags as words, one line."""
    text = (
        _MENTIONS_AHEAD.sub("", _LINK.sub(" ", text))
        .replace("#", " ")
        .replace("_", " ")
        .replace("&amp;", "&")
    )
    return re.sub(r"\s+", " ", text).strip()


def checkworthy_rows(data: Path, language: str, task: str, split: str) -> tuple[list[str], list[int]]:
    """Cleaned posts and labels of one labelled set; ``task`` is ``1A_checkworthy`` or ``1B_claim``."""
    rows = read_rows(data / "claims" / "checkworthy" / f"{language}-{task}-{split}.jsonl.gz")
    return [clean_post(row["text"]) for row in rows], [int(row["label"]) for row in rows]


def own_examples() -> list[Row]:
    """Sentences written for this project in nine languages: ``id``, ``kind``, ``claim`` and one text per
    language.
    """
    return read_rows(Path(__file__).with_name("checkworthy_examples.jsonl"))
