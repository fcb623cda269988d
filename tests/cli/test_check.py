"""`tamga check`: a readable report, or the Analysis."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.analysis_models import Analysis
from service.samples import sample_articles

ARTICLE = sample_articles()[0]


@pytest.fixture
def article_file(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_text(ARTICLE.text, encoding="utf-8")
    return path


@pytest.mark.usefixtures("samples")
def test_the_analysis_comes_as_json(tamga, article_file: Path) -> None:
    outcome = tamga("check", article_file, "--json", "--outlet", ARTICLE.outlet)
    assert outcome.code == 0
    assert outcome.err == ""
    analysis = Analysis.model_validate_json(outcome.out)
    assert analysis.language == "kk"
    assert not analysis.stored
    assert any(claim.status == "matched" for claim in analysis.claims)
    for claim in analysis.claims:
        assert ARTICLE.text[claim.start : claim.end] == claim.text


@pytest.mark.usefixtures("samples")
def test_the_report_quotes_claims_and_sources(tamga, article_file: Path) -> None:
    report = tamga("check", article_file).out
    assert "Language   kk" in report
    assert "Origin" in report
    assert "repeats" in report
    assert "https://" in report
    assert "AI-generated" not in report
    assert "human-written" not in report


def test_an_empty_home_is_enough(tamga, article_file: Path) -> None:
    analysis = json.loads(tamga("check", article_file, "--json").out)
    assert {claim["reason"] for claim in analysis["claims"]} == {"empty_index"}
    assert analysis["related_records"] == []


def test_html_is_known_by_its_name_or_its_first_tag(tamga, tmp_path: Path) -> None:
    paragraphs = "".join(f"<p>{part}</p>" for part in ARTICLE.text.split("\n") if part)
    page = f"<!doctype html><html><body><article>{paragraphs}</article></body></html>"
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    by_name = json.loads(tamga("check", path, "--json").out)
    by_tag = json.loads(tamga("check", "-", "--json", stdin=page.encode()).out)
    assert by_name["text"] == by_tag["text"]
    assert "<p>" not in by_name["text"]
    as_text = json.loads(tamga("check", path, "--json", "--text").out)
    assert as_text["text"] is None


def test_a_stored_article_is_recognised_the_next_time(tamga, article_file: Path) -> None:
    first = json.loads(tamga("check", article_file, "--json", "--store").out)
    again = json.loads(tamga("check", article_file, "--json").out)
    assert [duplicate["article_id"] for duplicate in again["near_duplicates"]] == [first["id"]]
