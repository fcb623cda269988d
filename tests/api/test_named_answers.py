"""The schema names every status that a middleware may answer with, whatever the route is."""

from __future__ import annotations

from typing import Any

import pytest

from service.api.openapi import schema

# Who calls is found out first, and asks the database.
GUARDED = {"401", "403", "503"}
# A body may be too large, too late, packed or written in another way, or not what the route takes.
WITH_BODY = {"400", "408", "413", "415", "422"}
# What waits for the models is refused while too much does.
THROUGH_THE_QUEUE = {
    ("post", "/v1/articles"),
    ("post", "/v1/claims/match"),
    ("post", "/v1/claims/compare"),
    ("post", "/v1/records"),
    ("put", "/v1/records/{record_id}"),
    ("get", "/v1/models"),
    ("get", "/v1/models/{name}"),
}

OPERATIONS = [
    (method, path, operation)
    for path, operations in schema()["paths"].items()
    for method, operation in operations.items()
]


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[f"{method} {path}" for method, path, _ in OPERATIONS]
)
def test_an_operation_names_what_it_may_answer(method: str, path: str, operation: dict[str, Any]) -> None:
    expected: set[str] = set()
    if operation.get("security"):
        expected |= GUARDED
    if "requestBody" in operation:
        expected |= WITH_BODY
    if operation.get("parameters"):
        expected |= {"422"}
    if (method, path) in THROUGH_THE_QUEUE:
        expected |= {"429", "503"}
    assert expected <= operation["responses"].keys()


def test_no_operation_of_the_queue_has_another_name_meanwhile() -> None:
    assert {(method, path) for method, path, _ in OPERATIONS} >= THROUGH_THE_QUEUE
