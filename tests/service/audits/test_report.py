"""What a report counts, and what it shows."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from scipy.stats import binomtest

from service.audits.cells import safe_cell
from service.audits.facts import agreement, facts_of
from service.audits.items import AuditArticle, Item
from service.audits.report import ReportHead, Tally, figures_csv, report_page
from service.audits.report.tally import MAX_QUOTATIONS, Rate

HEAD = ReportHead("Archive audit", "in.jsonl", datetime(2026, 3, 1, tzinfo=UTC), ("origin", "claims"), 0.01)


@settings(deadline=None)
@given(st.integers(1, 2_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_intervals_are_those_of_wilson(counts: tuple[int, int]) -> None:
    rate = Rate(*counts)
    known = binomtest(*counts).proportion_ci(method="wilson")
    assert rate.interval == pytest.approx((known.low, known.high), abs=1e-6)
    assert rate.interval[0] <= rate.share <= rate.interval[1]


def test_nothing_is_known_of_no_item() -> None:
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert Rate(0, 0).share == 0.0


def match(**fields: Any) -> dict[str, Any]:
    return {
        "record_id": "r1", "level": "link", "stance": "contradicts", "stance_abstained": False,
        "warnings": [], "evidence": {"text": "The bridge opened in 2019."}, "publisher": "Agency",
        "url": "https://agency.example/1", "rating": None, "probability": 0.9,
        "mismatches": [{"type": "number", "claim_value": "2021", "source_value": "2019"}], **fields,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stance", "warnings", "expected"),
    [
        ("contradicts", [], "conflicts"),
        ("supports", [], "agrees"),
        # A record that quotes a false claim: who repeats it stands against the reporting.
        ("supports", ["rated_false"], "conflicts"),
        ("contradicts", ["rated_false"], "agrees"),
        ("not_enough_info", ["rated_false"], None),
    ],
)
def test_conflict_is_with_the_reporting_not_with_the_words(
    stance: str, warnings: list[str], expected: str | None
) -> None:
    assert agreement(match(stance=stance, warnings=warnings)) == expected
    assert agreement(match(stance=stance, stance_abstained=True)) is None


def answer(number: int, model: str, country: str, *matches: dict[str, Any], **source: Any) -> dict[str, Any]:
    """The facts of an answer with one statement."""
    article = AuditArticle(text="The bridge opened in 2021.", model=model, country=country, **source)
    claim = {"text": "The bridge opened in 2021.", "status": "matched", "matches": list(matches)}
    result = {"id": number, "language": "en", "claims": [claim], "claims_reason": None}
    return facts_of(Item(number, number, article, None), result)


def article(number: int, verdict: str, reason: str | None = None, **source: Any) -> dict[str, Any]:
    origin = {"verdict": verdict, "abstain_reason": reason}
    item = Item(number, number, AuditArticle(text="text", **source), None)
    return facts_of(item, {"id": number, "language": "kk", "origin": origin})


def tally_of(*facts: dict[str, Any]) -> Tally:
    tally = Tally()
    for fact in facts:
        tally.add(fact)
    return tally


FLAGGED = "likely_ai_unconfirmed"


def test_rates_are_of_judged_articles_and_abstentions_stand_apart() -> None:
    tally = tally_of(
        article(0, FLAGGED, outlet="Alpha", published_at="2026-01-05", declared="none"),
        article(1, "undetermined", outlet="Alpha", published_at="2026-03-05", declared=True),
        article(2, "undetermined", "too_short", outlet="Alpha"),
        article(3, "undetermined"),
        facts_of(Item(4, 4, None, {"type": "urn:tamga:problem:invalid-json"}), {"error": {"type": "x"}}),
    )
    assert (tally.items, tally.refused.total()) == (5, 1)
    alpha = tally.outlets["Alpha"]
    assert (alpha.items, alpha.rate) == (3, Rate(1, 2))
    assert {name: dict(counts) for name, counts in tally.declared.items()} == {
        "none": {"flagged": 1},
        "involved": {"not_flagged": 1},
        "": {"abstained": 1, "not_flagged": 1},
    }
    assert tally.abstained == {"too_short": 1}
    page = html.document_fromstring(report_page(tally, HEAD))
    months = [row[0].text for row in page.xpath("//*[@id='by-month']//tbody/tr")]
    assert months == ["2026-01", "2026-02", "2026-03"]
    assert "the text is too short" in page.text_content()


def test_conflicts_are_counted_by_assistant_and_country_and_quoted() -> None:
    tally = tally_of(
        answer(0, "model-a", "KZ", match(), prompt="When did the bridge open?"),
        answer(1, "model-a", "KZ", match(stance="supports")),
        answer(2, "model-b", "UZ", match(level="none")),
        answer(3, "model-b", "TR", match(stance="supports", warnings=["rated_false"], rating="False")),
    )
    assert tally.models["model-a"].rate == Rate(1, 2)
    # A match too improbable to be shown compares nothing.
    assert tally.countries["UZ"].rate == Rate(0, 0)
    assert tally.pairs[("model-b", "TR")].rate == Rate(1, 1)
    page = html.document_fromstring(report_page(tally, HEAD))
    shown = page.xpath("//article")
    assert len(shown) == 2
    text = " ".join(shown[0].text_content().split())
    for words in (
        "model-a · KZ",
        "When did the bridge open?",
        "contradicts what Agency reports",
        "2021 ≠ 2019",
    ):
        assert words in text
    assert "repeats what Agency rated “False”" in " ".join(shown[1].text_content().split())
    rows = list(csv.DictReader(io.StringIO(figures_csv(tally))))
    pair = next(row for row in rows if (row["group"], row["subgroup"]) == ("model-a", "KZ"))
    assert (pair["items"], pair["of"], pair["count"], pair["share"]) == ("2", "2", "1", "0.500000")


def test_the_strongest_quotations_are_kept() -> None:
    facts = [answer(n, "m", "KZ", match(probability=n / 100, record_id=f"r{n}")) for n in range(60)]
    kept = [found["record"] for found in tally_of(*facts).quotations]
    assert kept == [f"r{n}" for n in range(59, 59 - MAX_QUOTATIONS, -1)]


def test_whatever_was_sent_is_shown_as_text_and_links_lead_to_the_web_alone() -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'
    tally = tally_of(
        answer(
            0, hostile, hostile,
            match(publisher=hostile, url="javascript:alert(1)", evidence={"text": hostile}),
            prompt=hostile,
        ),
        article(1, FLAGGED, outlet=hostile, declared="none"),
    )  # fmt: skip
    head = ReportHead(hostile, hostile, HEAD.made_at, ("origin",), 0.01, complete=False, total=9)
    page = html.document_fromstring(report_page(tally, head))
    assert page.xpath("//script | //img | //*[@onerror] | //link | //iframe") == []
    assert page.xpath("//a[not(starts-with(@href, 'https:'))]") == []
    assert "{{7*7}}" in page.text_content()
    assert "49" not in page.xpath("string(//h1)")


@settings(deadline=None)
@given(st.text())
def test_no_cell_begins_a_formula(text: str) -> None:
    cell = safe_cell(text)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell.endswith(text.encode("utf-8", "replace").decode().replace("\0", "\ufffd"))
