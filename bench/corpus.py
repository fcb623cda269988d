"""Read the corpora that benches and trainings are given by ``--data``."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON Lines file, gzipped or not.

    Raises:
        SystemExit: the file is missing; says which and exits with 2.
    """
    if not path.is_file():
        print(f"no such file: {path}; --data names the folder of the corpora", file=sys.stderr)
        raise SystemExit(2)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the options every bench shares: ``--data`` and ``--json``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--json", type=Path, help="also write the raw figures here")
    return parser


def write_json(path: Path | None, figures: object) -> None:
    """Write ``figures`` to ``path`` if one was asked for."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
