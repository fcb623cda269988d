"""Style sheet, scripts and pictures under names that hold their hash: browsers may keep them for good.

Vendored: htmx 4.0.1 (Zero-Clause BSD, `static/htmx.LICENSE.txt`), `dist/htmx.min.js` of the npm package
htmx.org, unchanged.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER: Final = Path(__file__).parent / "static"
PREFIX: Final = "/dashboard/static"
FOR_GOOD: Final = "public, max-age=31536000, immutable"


@cache
def _hashed_names() -> dict[str, str]:
    """File name -> the name it is served under."""
    names = {}
    for path in sorted(FOLDER.iterdir()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        stem, _, suffixes = path.name.partition(".")
        names[path.name] = f"{stem}.{digest}.{suffixes}"
    return names


def asset(name: str) -> str:
    """The address of a static file. Raises KeyError where there is no such file."""
    return f"{PREFIX}/{_hashed_names()[name]}"


class HashedFiles(StaticFiles):
    """Serves the files under their hashed names alone."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)
        self._files = {hashed: name for name, hashed in _hashed_names().items()}

    async def get_response(self, path: str, scope: Scope) -> Response:
        name = self._files.get(path)
        if name is None:
            raise HTTPException(404)
        answer = await super().get_response(name, scope)
        answer.headers["Cache-Control"] = FOR_GOOD
        return answer

    def lookup_path(self, path: str) -> tuple[str, Any]:
        # Answers are made from `get_response` alone; nothing else of the folder can be named.
        return super().lookup_path(Path(path).name)
