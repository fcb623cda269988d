"""Content for the label commands: from a file, by what it is."""

from __future__ import annotations

import base64
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from service.commands.jsonl import open_input
from service.errors import InvalidEncoding

if TYPE_CHECKING:
    from pydantic import ValidationError

_HTML_SUFFIXES = (".html", ".htm", ".xhtml")
_HTML_STARTS = ("<!doctype html", "<html")


def read_bytes(source: str) -> bytes:
    """The named file or standard input; a usage error if it cannot be read."""
    with ExitStack() as stack:
        return open_input(stack, source).read()


def content_of(source: str) -> dict[str, str]:
    """`text`, `html` or `file` (base64) of a file, as label requests take them. Raises InvalidEncoding."""
    from classifiers.provenance import sniff_media_type

    raw = read_bytes(source)
    if sniff_media_type(raw) is not None:
        return {"file": base64.b64encode(raw).decode("ascii")}
    try:
        # Not -sig: a page's hash covers its byte order mark.
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidEncoding(f"{source}: byte {error.start} cannot be decoded as UTF-8") from error
    is_html = Path(source).suffix.lower() in _HTML_SUFFIXES or text.lstrip()[:15].lower().startswith(
        _HTML_STARTS
    )
    return {"html": text} if is_html else {"text": text}


def first_problem(error: ValidationError) -> str:
    """The first thing wrong with a request, for a usage error."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
