"""What an audit goes through: items, each an article or an answer of a chat assistant, or the error that kept
it from being read.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, StringConstraints

from service.analysis import ALL_CHECKS
from service.analysis_models import CheckName
from service.articles import ArticleInput
from service.lines import Line

AuditKind = Literal["archive", "chat_answers"]
KINDS: Final[tuple[AuditKind, ...]] = get_args(AuditKind)

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class AuditArticle(ArticleInput):
    """An article of an archive. What answers of chat assistants have besides is taken where it is there."""

    prompt: Any = None
    model: Any = None
    country: Any = None


class ChatAnswer(AuditArticle):
    """What a chat assistant answered: `text` is the answer, `country` the one it was asked about."""

    text: str
    prompt: Annotated[str, Field(max_length=100_000)]
    model: ShortText
    country: ShortText | None = None


MODELS: Final[Mapping[AuditKind, type[AuditArticle]]] = {
    "archive": AuditArticle,
    "chat_answers": ChatAnswer,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item; `number` counts from 0 in the order of the source, `id` is the caller's (any JSON).

    Either `source` is there or `error`, as errors look in an output line.
    """

    number: int
    id: Any
    source: AuditArticle | None
    error: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What an audit looks at. `target_fpr` None takes the setting."""

    checks: tuple[CheckName, ...] = ALL_CHECKS
    target_fpr: float | None = None
    store: bool = False


def items_of(lines: Iterable[Line[AuditArticle]]) -> Iterator[Item]:
    """Lines as items, numbered."""
    for number, line in enumerate(lines):
        yield Item(number, line.id, line.value, line.error.as_error() if line.error is not None else None)


def pack(value: Mapping[str, Any]) -> bytes:
    """Any JSON object, small. Escapes keep what no database holds as text: NUL and half characters."""
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode("ascii"), 1)


def unpack(packed: bytes) -> dict[str, Any]:
    """What `pack` packed."""
    value: dict[str, Any] = json.loads(zlib.decompress(packed))
    return value


def pack_item(item: Item) -> bytes:
    """An item for the database."""
    if item.source is None:
        return pack({"id": item.id, "error": item.error})
    return pack({"id": item.id, "source": item.source.model_dump(mode="json", exclude_unset=True)})


def unpack_item(number: int, packed: bytes) -> Item:
    """An item from the database. It was checked when it came in."""
    value = unpack(packed)
    source = value.get("source")
    return Item(
        number,
        value["id"],
        None if source is None else AuditArticle.model_validate(source),
        value.get("error"),
    )
