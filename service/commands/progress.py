"""Progress bars on standard error: shown on a terminal, or where the caller asks for them."""

from __future__ import annotations

import sys
from typing import Any


def wants_progress(shown: bool | None) -> bool:
    """The caller's word, or whether standard error is a terminal."""
    return sys.stderr.isatty() if shown is None else shown


def progress_bar(label: str, *, total: int | None, shown: bool | None) -> Any:
    """A tqdm bar as context manager; silent where it is not wanted."""
    from tqdm import tqdm

    return tqdm(desc=label, total=total, disable=not wants_progress(shown), file=sys.stderr, unit="line")
