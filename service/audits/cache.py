"""Results of texts that come again: archives repeat agency copy, often under several outlets."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from classifiers.text import canonicalise
from service.articles import ArticleInput
from service.audits.items import AuditOptions

MAX_BYTES: Final = 64_000_000


def content_key(article: ArticleInput, options: AuditOptions) -> bytes:
    """Equal for articles whose results are equal.

    The outlet's name does not count by itself: all it does is that its mentions are left out of the text the
    models read, so what counts is the text that is left.
    """
    if article.text is None:
        read = article.outlet
    else:
        read = canonicalise(article.text, title=article.title, outlet=article.outlet).text
    published = article.published_at if "claims" in options.checks else None
    told = [
        article.text,
        article.html,
        article.title,
        read,
        article.language,
        # True and 1 are the same to Python, and not to the answer.
        repr(article.declared),
        None if published is None else published.isoformat(),
    ]
    return hashlib.sha256(json.dumps(told).encode("ascii")).digest()


class ResultCache:
    """The results used last, packed, up to a number of bytes: an archive of any size takes no more memory."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._packed: OrderedDict[bytes, bytes] = OrderedDict()

    def get(self, key: bytes) -> dict[str, Any] | None:
        """The result under a key."""
        packed = self._packed.get(key)
        if packed is None:
            return None
        self._packed.move_to_end(key)
        value: dict[str, Any] = json.loads(zlib.decompress(packed))
        return value

    def put(self, key: bytes, value: Mapping[str, Any]) -> None:
        """Keep a result, and forget as many of the oldest as it needs room."""
        packed = zlib.compress(json.dumps(value).encode("ascii"), 1)
        if key in self._packed or len(packed) > self._max_bytes:
            return
        self._packed[key] = packed
        self._bytes += len(packed)
        while self._bytes > self._max_bytes:
            _, dropped = self._packed.popitem(last=False)
            self._bytes -= len(dropped)
