"""TAMGA_VECTOR_STORE: the same matches from a Milvus server as in the process; clear words without one."""

from __future__ import annotations

import builtins
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from service.errors import PROBLEM_PREFIX

SAMPLES = Path(__file__).parents[2] / "service" / "samples" / "records.jsonl"


@pytest.fixture
def milvus(milvus_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMGA_VECTOR_STORE", "milvus")
    monkeypatch.setenv("TAMGA_MILVUS_URI", milvus_address)


def test_sample_records_match_alike_on_both(
    tamga: Any, jsonl: Any, milvus_address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    records = [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
    asked = [{"id": record["id"], "text": record["claim"]} for record in records[::6]]
    queries = jsonl(*asked, {"id": "bad"})
    answers = {}
    for engine in ("faiss", "milvus"):
        monkeypatch.setenv("TAMGA_HOME", str(tmp_path / engine))
        monkeypatch.setenv("TAMGA_VECTOR_STORE", engine)
        monkeypatch.setenv("TAMGA_MILVUS_URI", milvus_address)
        assert tamga("index", "add", SAMPLES).code == 0
        outcome = tamga("index", "match", queries, "--top-k", "5")
        assert outcome.code == 0, outcome.err
        answers[engine] = outcome.lines
        status = json.loads(tamga("index", "status").out)
        assert status["vector_store"] == engine
        assert status["notices"] == []
    assert not (tmp_path / "milvus" / "index" / "records").exists()
    for memory, shared in zip(answers["faiss"], answers["milvus"], strict=True):
        assert_alike(shared, memory)
    *known, bad = answers["milvus"]
    assert [answer["matches"][0]["record_id"] for answer in known] == [query["id"] for query in asked]
    assert bad["error"]["type"] == PROBLEM_PREFIX + "invalid-input"


def assert_alike(one: Any, other: Any) -> None:
    """Equal but for the last places of cosines, which one engine keeps in 16 bits, and what follows of them:
    the trees of the stance divide at some cosine.
    """
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list):
        assert len(one) == len(other)
        for own, its in zip(one, other, strict=True):
            assert_alike(own, its)
    else:
        assert one == (pytest.approx(other, abs=0.02) if isinstance(other, float) else other)


@pytest.mark.usefixtures("milvus")
def test_a_server_that_cannot_be_reached_is_one_line(
    tamga: Any, jsonl: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAMGA_MILVUS_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("TAMGA_MILVUS_SECONDS", "1")
    outcome = tamga("index", "match", jsonl({"id": 1, "text": "x"}))
    assert outcome.code == 1
    assert outcome.out == ""
    (line,) = outcome.err.strip().splitlines()
    assert line.startswith("tamga: The vector store cannot be used: Milvus at http://127.0.0.1:9")


@pytest.mark.usefixtures("milvus")
def test_the_doctor_looks_at_the_server(tamga: Any, jsonl: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    record = {"id": "bridge", "claim": "The bridge opened in 2019.", "language": "en"}
    assert tamga("index", "add", jsonl(record)).code == 0
    assert "records: none" in tamga("doctor").out
    assert tamga("index", "status").code == 0
    assert "records: 1 vectors on the Milvus server, generation 1" in tamga("doctor").out
    monkeypatch.setenv("TAMGA_MILVUS_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("TAMGA_MILVUS_SECONDS", "1")
    outcome = tamga("doctor")
    assert outcome.code == 1
    assert "Milvus at http://127.0.0.1:9" in outcome.out


@pytest.mark.usefixtures("milvus")
def test_no_address_is_a_matter_of_the_settings(tamga: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMGA_MILVUS_URI", "")
    outcome = tamga("index", "status")
    assert outcome.code == 2
    assert "TAMGA_MILVUS_URI has to say where it is" in outcome.err


@pytest.mark.usefixtures("milvus")
def test_a_missing_package_is_named_with_its_extra(tamga: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    outcome = tamga("index", "status")
    assert outcome.code == 2
    assert "tamga-newsroom[cluster]" in outcome.err


def test_an_address_that_is_none_is_refused(tamga: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A path would be taken for an embedded database.
    monkeypatch.setenv("TAMGA_MILVUS_URI", "./milvus.db")
    outcome = tamga("index", "status")
    assert outcome.code == 2
    assert "TAMGA_MILVUS_URI" in outcome.err


def test_the_embedded_store_does_without_the_package(tamga: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        assert not name.startswith(("pymilvus", "milvus_lite"))
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert tamga("index", "status").code == 0
