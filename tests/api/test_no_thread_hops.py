"""A request is refused without a detour through threads: what routes depend on are coroutines."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from service.app import create_app
from service.settings import Settings


def depended_on(dependant: Dependant) -> Iterator[Any]:
    for part in dependant.dependencies:
        yield part.call
        yield from depended_on(part)


def is_coroutine(call: Any) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


def test_no_dependency_of_the_api_goes_through_a_thread(empty_home: Settings) -> None:
    seen = 0
    slow: set[str] = set()
    for context in iter_route_contexts(create_app(empty_home).routes):
        dependant = getattr(context, "dependant", None)
        if dependant is None or not str(context.path).startswith(("/v1", "/metrics", "/livez", "/readyz")):
            continue
        for call in depended_on(dependant):
            seen += 1
            if not is_coroutine(call):
                slow.add(f"{context.path}: {call!r}")
    assert seen > 100
    assert slow == set()


@pytest.mark.parametrize("call", [lambda: None, dict])
def test_the_check_itself_finds_what_is_none(call: Any) -> None:
    assert not is_coroutine(call)
