"""What every group of calls is made of: requests out, the API's models in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from service.client.transport import Transport

Answer = TypeVar("Answer", bound=BaseModel)
Item = TypeVar("Item")


class Calls:
    """Calls through one transport. `etag` is that of the latest answer which had one: given back as
    `if_match`, it lets a change through only if nobody else has made one since.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.etag: str | None = None

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        if_match: str | None = None,
        creates: bool = False,
        repeatable: bool = False,
        params: Mapping[str, Any] | None = None,
    ) -> bytes:
        content: dict[str, Any] = {} if body is None else {"json": body}
        if params:
            content["params"] = {name: value for name, value in params.items() if value is not None}
        if if_match is not None:
            content["headers"] = {"If-Match": if_match}
        answer = self._transport.send(method, path, creates=creates, repeatable=repeatable, **content)
        self.etag = answer.headers.get("etag", self.etag)
        return answer.content

    def _get(self, path: str, model: type[Answer], **params: Any) -> Answer:
        return model.model_validate_json(self._send("GET", path, params=params))

    def _ask(self, path: str, body: Any, model: type[Answer]) -> Answer:
        """A POST that changes nothing: it may be sent again."""
        return model.model_validate_json(self._send("POST", path, body=body, repeatable=True))

    def _create(self, path: str, body: Any, model: type[Answer], *, if_match: str | None = None) -> Answer:
        """A POST that carries an Idempotency-Key."""
        return model.model_validate_json(self._send("POST", path, body=body, if_match=if_match, creates=True))

    def _change(self, path: str, changes: Any, model: type[Answer], if_match: str | None) -> Answer:
        return model.model_validate_json(self._send("PATCH", path, body=changes, if_match=if_match))

    def _pages(
        self,
        path: str,
        model: type[Answer],
        turn: Callable[[Answer], tuple[Sequence[Item], str | None]],
        **params: Any,
    ) -> Iterator[Item]:
        after: str | None = None
        while True:
            items, after = turn(self._get(path, model, **params, after=after))
            yield from items
            if after is None:
                return


def path(*parts: str) -> str:
    """An address below /v1 of these parts; ids may hold anything."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)
