"""Claims over HTTP: matched across languages, filtered, compared with given evidence."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.samples import sample_records

RECORDS = {record.id: record for record in sample_records()}


def match(client: TestClient, claims: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/claims/match", json={"claims": claims, **more})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_a_claim_finds_its_own_record_first(client: TestClient) -> None:
    asked = [RECORDS["sample-az-001"], RECORDS["sample-ru-001"], RECORDS["sample-hu-003"]]
    results = match(client, [{"text": record.claim, "language": record.language} for record in asked])
    for record, result in zip(asked, results, strict=True):
        best = result["matches"][0]
        assert best["record_id"] == record.id
        assert result["status"] == "matched"
        assert best["stance"] == "supports"
        assert best["mismatches"] == []


def test_a_statement_about_something_else_is_no_match(client: TestClient) -> None:
    text = "My neighbour's grey cat sleeps on the green sofa in the kitchen every afternoon."
    (result,) = match(client, [{"text": text, "language": "en"}], top_k=3)
    assert result["status"] in ("no_match", "related")
    # Every candidate is shown, probable or not: the status says what they amount to.
    assert len(result["matches"]) == 3


def test_filters_keep_only_what_was_asked_for(client: TestClient) -> None:
    claim = {"text": RECORDS["sample-az-001"].claim}
    (result,) = match(client, [claim], languages=["ru", "kk"], top_k=10)
    assert {found["language"] for found in result["matches"]} <= {"ru", "kk"}
    publisher = RECORDS["sample-az-001"].publisher
    (result,) = match(client, [claim], publishers=[publisher])
    assert {found["publisher"] for found in result["matches"]} == {publisher}
    (result,) = match(client, [claim], publishers=["Nobody"])
    assert (result["status"], result["reason"], result["matches"]) == ("no_match", "nothing_found", [])


def test_top_k_bounds_the_answer(client: TestClient) -> None:
    (result,) = match(client, [{"text": "Ақпарат"}], top_k=7)
    assert len(result["matches"]) == 7
    assert len({found["record_id"] for found in result["matches"]}) == 7


@pytest.mark.parametrize(
    ("claim", "evidence", "stance"),
    [
        ("Мост открыли в 2019 году.", "Көпір 2019 жылы ашылды.", "supports"),
        ("Мост открыли в 2018 году.", "Мост открыли в 2019 году.", "contradicts"),
    ],
)
def test_a_claim_is_compared_with_its_evidence(
    client: TestClient, claim: str, evidence: str, stance: str
) -> None:
    answer = client.post("/v1/claims/compare", json={"pairs": [{"claim": claim, "evidence": evidence}]})
    assert answer.status_code == 200, answer.text
    (result,) = answer.json()["results"]
    assert result["stance"] == stance
    assert sum(result["scores"].values()) == pytest.approx(1, abs=1e-4)
    if stance == "contradicts":
        assert {"type": "number", "claim_value": "2018", "source_value": "2019"} in [
            {**mismatch, "type": "number"} for mismatch in result["mismatches"]
        ]
