"""/docs works on a machine without a network, and the committed schema is the real one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.api.openapi import schema

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
# Made once: each making builds the whole application.
SCHEMA = schema()


def test_every_file_of_the_reference_comes_from_the_service_itself(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    linked = re.findall(r'(?:src|href|data-schema)="([^"]+)"', page.text)
    assert len(linked) >= 4
    for address in linked:
        assert not re.match(r"(https?:)?//", address)
        if not address.startswith("data:"):
            assert client.get(address).status_code == 200, address


def test_the_reference_may_not_reach_other_hosts(client: TestClient) -> None:
    policy = client.get("/docs").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert "validatorUrl: null" in client.get("/docs/static/docs.js").text


def test_vendored_files_come_with_their_licence(client: TestClient) -> None:
    assert "Apache License" in client.get("/docs/static/swagger-ui.LICENSE.txt").text


def test_the_committed_schema_is_current() -> None:
    # Write it anew with: python -m service.api.openapi docs/openapi.json
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == SCHEMA


def test_operation_ids_are_fixed_and_unique() -> None:
    ids = [operation["operationId"] for path in SCHEMA["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    assert {"create_analysis", "get_analysis", "put_records", "match_claims", "compare_claims"} <= set(ids)


@pytest.mark.parametrize("path", sorted(SCHEMA["paths"]))
def test_every_documented_error_is_a_problem(path: str) -> None:
    for operation in SCHEMA["paths"][path].values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], (path, status)
