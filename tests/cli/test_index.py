"""`tamga index` and `tamga compare`: line formats, acknowledged writes, states."""

from __future__ import annotations

import json

import pytest

from service.errors import PROBLEM_PREFIX

RECORDS = [
    {
        "id": "bridge",
        "claim": "Новый мост через Сырдарью открыли 14 сентября 2019 года.",
        "publisher": "Местная газета",
        "url": "https://example.org/bridge",
        "rating": "Верно",
        "language": "ru",
    },
    {
        "id": "school",
        "claim": "A village school in the north got a library with 12,000 books.",
        "language": "en",
    },
]


def test_each_record_is_acknowledged_in_a_line(tamga, jsonl) -> None:
    source = jsonl(RECORDS[0], b"{broken", {"id": "no-claim"}, RECORDS[1], RECORDS[0])
    outcome = tamga("index", "add", source)
    assert outcome.code == 0
    assert [line.get("status") for line in outcome.lines] == ["added", None, None, "added", "unchanged"]
    assert outcome.lines[0] == {"id": "bridge", "record_id": "bridge", "status": "added"}
    assert [line["error"]["type"] for line in outcome.lines if "error" in line] == [
        PROBLEM_PREFIX + "invalid-json",
        PROBLEM_PREFIX + "invalid-record",
    ]
    state = json.loads(tamga("index", "status").out)
    assert state["records"] == 2
    assert state["passages"] >= 2


@pytest.fixture
def filled(tamga, jsonl) -> None:
    assert tamga("index", "add", jsonl(*RECORDS, name="records.jsonl")).code == 0


@pytest.mark.usefixtures("filled")
def test_queries_are_matched_across_languages(tamga, jsonl) -> None:
    queries = [
        {"id": 1, "text": "Сырдария арқылы жаңа көпір 2019 жылғы 14 қыркүйекте ашылды.", "language": "kk"},
        {"id": 2, "text": "Новый мост через Сырдарью открыли 14 сентября 2017 года."},
        {"id": 3},
    ]
    outcome = tamga("index", "match", jsonl(*queries), "--top-k", "2")
    assert outcome.code == 0
    same, changed, error = outcome.lines
    assert [line["id"] for line in outcome.lines] == [1, 2, 3]
    assert same["matches"][0]["record_id"] == "bridge"
    assert len(same["matches"]) == 2
    assert {"record_id", "score", "probability", "stance", "mismatches"} <= set(same["matches"][0])
    assert changed["matches"][0]["record_id"] == "bridge"
    assert changed["matches"][0]["stance"] == "contradicts"
    assert changed["matches"][0]["mismatches"]
    assert set(changed["matches"][0]["mismatches"][0]) == {"type", "claim_value", "source_value"}
    assert error["error"]["type"] == PROBLEM_PREFIX + "invalid-input"


@pytest.mark.usefixtures("filled")
def test_a_rebuilt_index_finds_the_same(tamga, jsonl) -> None:
    query = jsonl({"id": 1, "text": "Көпір 2019 жылы ашылды."})
    before = tamga("index", "match", query).lines
    assert tamga("index", "rebuild").code == 0
    assert [match["record_id"] for match in tamga("index", "match", query).lines[0]["matches"]] == [
        match["record_id"] for match in before[0]["matches"]
    ]


def test_an_empty_index_matches_nothing_and_says_so(tamga, jsonl) -> None:
    (line,) = tamga("index", "match", jsonl({"id": 1, "text": "Көпір 2019 жылы ашылды."})).lines
    assert line["matches"] == []
    assert (line["status"], line["reason"]) == ("no_match", "empty_index")


@pytest.mark.usefixtures("samples")
def test_samples_load_once(tamga) -> None:
    before = json.loads(tamga("index", "status").out)
    assert before["records"] >= 90
    again = tamga("samples", "load").err
    assert again.strip() == f"{before['records']} unchanged"
    assert json.loads(tamga("index", "status").out) == before


def test_sample_articles_are_printed_as_audit_reads_them(tamga) -> None:
    lines = tamga("samples", "articles").lines
    assert len(lines) == 10
    assert all({"id", "text", "language", "title", "outlet"} <= set(line) for line in lines)
    request = json.loads(tamga("samples", "articles", lines[0]["id"], "--request").out)
    assert request["text"] == lines[0]["text"]
    assert "id" not in request
    assert tamga("samples", "articles", lines[0]["id"], "--text").out.strip() == lines[0]["text"].strip()


def test_pairs_are_compared(tamga, jsonl) -> None:
    pairs = [
        {"id": "same", "claim": "The bridge opened in 2019.", "evidence": "Мост открылся в 2019 году."},
        {"id": "number", "claim": "The bridge opened in 2018.", "evidence": "The bridge opened in 2019."},
        {"id": "bad", "claim": "The bridge opened."},
    ]
    outcome = tamga("compare", jsonl(*pairs))
    assert outcome.code == 0
    same, number, bad = outcome.lines
    assert same["stance"] == "supports"
    assert number["stance"] == "contradicts"
    assert number["mismatches"][0]["claim_value"] == "2018"
    assert sum(same["scores"].values()) == pytest.approx(1, abs=1e-4)
    assert set(same["scores"]) == {"supports", "contradicts", "not_enough_info"}
    assert bad["error"]["type"] == PROBLEM_PREFIX + "invalid-input"
