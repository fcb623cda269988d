"""An article goes in, an Analysis comes out: over HTTP, with real models and the sample index."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.analysis_models import Analysis
from service.samples import SampleArticle, sample_articles

ARTICLES = {article.id: article for article in sample_articles()}
KAZAKH = ARTICLES["sample-article-kk-ai-marking"]


def post(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/v1/articles", json=body)
    assert answer.status_code in (200, 201), answer.text
    analysis: dict[str, Any] = answer.json()
    Analysis.model_validate(analysis)
    return analysis


def post_sample(client: TestClient, article: SampleArticle, **more: Any) -> dict[str, Any]:
    return post(
        client, text=article.text, title=article.title, outlet=article.outlet, **{"store": False, **more}
    )


@pytest.fixture(scope="module")
def kazakh(client: TestClient) -> dict[str, Any]:
    return post_sample(client, KAZAKH)


def overlapping_claims(
    analysis: dict[str, Any], article: SampleArticle, sentence: str
) -> list[dict[str, Any]]:
    start = article.text.index(sentence)
    return [
        claim
        for claim in analysis["claims"]
        if claim["start"] < start + len(sentence) and start < claim["end"]
    ]


def test_a_kazakh_article_is_matched_with_russian_records(kazakh: dict[str, Any]) -> None:
    assert kazakh["language"] == "kk"
    assert kazakh["script"] == "Cyrl"
    assert kazakh["language_confidence"] > 0.5
    found = {
        match["record_id"]
        for claim in kazakh["claims"]
        if claim["status"] == "matched"
        for match in claim["matches"]
        if match["language"] == "ru"
    }
    assert found & {pair.record_id for pair in KAZAKH.pairs}


def test_every_claim_quotes_the_article_and_every_match_quotes_its_record(
    client: TestClient, kazakh: dict[str, Any]
) -> None:
    assert kazakh["claims"]
    for claim in kazakh["claims"]:
        assert KAZAKH.text[claim["start"] : claim["end"]] == claim["text"]
        assert 0 <= claim["worthiness"] <= 1
        assert 0 <= claim["priority"] <= 1
        # The order is by score, shared words counted in, within a pair of languages; a record of the same
        # claim follows the one that it repeats. The probability judges the quoted words alone.
        for language in {match["language"] for match in claim["matches"]}:
            scores = [
                match["score"]
                for match in claim["matches"]
                if match["language"] == language and match["duplicate_of"] is None
            ]
            assert scores == sorted(scores, reverse=True)
        assert {match["level"] for match in claim["matches"]} <= {"link", "suggest"}
        for match in claim["matches"]:
            evidence = match["evidence"]
            record = client.get(f"/v1/records/{match['record_id']}").json()
            assert record[evidence["field"]][evidence["start"] : evidence["end"]] == evidence["text"]
            assert match["publisher"] == record["publisher"]
            assert match["url"] == record["url"]
            assert match["rating"] == record["rating"]
            assert match["sample"]


def test_sentences_lie_in_the_text_in_order(kazakh: dict[str, Any]) -> None:
    ends = [0]
    for sentence in kazakh["sentences"]:
        assert ends[-1] <= sentence["start"] < sentence["end"] <= len(KAZAKH.text)
        ends.append(sentence["end"])
    assert len(ends) > 8


def test_a_changed_number_shows_as_a_contradiction(client: TestClient) -> None:
    article = ARTICLES["sample-article-tk-currencies"]
    pair = next(pair for pair in article.pairs if pair.relation == "contradicts")
    analysis = post_sample(client, article)
    matches = [
        match
        for claim in overlapping_claims(analysis, article, pair.sentence)
        for match in claim["matches"]
        if match["record_id"] == pair.record_id
    ]
    assert matches
    assert matches[0]["stance"] == "contradicts"
    assert any(
        mismatch["type"] in ("number", "date")
        and pair.article_value is not None
        and pair.record_value is not None
        and mismatch["claim_value"] != mismatch["source_value"]
        for mismatch in matches[0]["mismatches"]
    )


def test_the_origin_says_how_it_was_judged(kazakh: dict[str, Any]) -> None:
    origin = kazakh["origin"]
    assert origin["verdict"] in ("likely_ai_unconfirmed", "undetermined")
    assert isinstance(origin["score"], float)
    assert origin["target_fpr"] == 0.01
    label = origin["label"]
    assert label["state"] in ("likely_ai_unconfirmed", "undetermined")
    assert (label["status"], label["involvement"]) == ("draft", "unknown")
    if origin["abstain_reason"] is None:
        assert 0 < origin["p_value"] <= 1
        assert origin["calibration"]["n"] > 0


def test_a_very_short_text_makes_the_detector_abstain(client: TestClient) -> None:
    origin = post(client, text="Астана қаласы 1997 жылы астана болды.", store=False)["origin"]
    assert origin["verdict"] == "undetermined"
    assert origin["abstain_reason"] == "too_short"
    assert isinstance(origin["score"], float)


def test_an_unsupported_language_makes_origin_and_claims_abstain(client: TestClient) -> None:
    text = (
        "საქართველოს დედაქალაქი არის თბილისი, რომელიც მდინარე მტკვრის ნაპირას მდებარეობს "
        "და ქვეყნის უდიდესი ქალაქია. "
    ) * 8
    analysis = post(client, text=text, store=False)
    assert analysis["language"] == "other"
    assert analysis["origin"]["verdict"] == "undetermined"
    assert analysis["origin"]["abstain_reason"] == "unsupported_language"
    assert analysis["claims_status"] == "abstained"
    assert analysis["claims_reason"] == "unsupported_language"
    assert analysis["claims"] == []


def test_a_stated_language_is_believed(client: TestClient) -> None:
    analysis = post(client, text=KAZAKH.text, language="ky", store=False)
    assert analysis["language"] == "ky"
    assert analysis["language_confidence"] is None
    assert post(client, text=KAZAKH.text, language="de-AT", store=False)["language"] == "other"


def test_html_gives_back_the_text_that_offsets_count_in(client: TestClient) -> None:
    paragraphs = "".join(f"<p>{part}</p>" for part in KAZAKH.text.split("\n") if part.strip())
    body = f"<body><article>{paragraphs}</article></body>"
    page = f"<!doctype html><html lang=kk><head><title>Бет</title></head>{body}</html>"
    analysis = post(client, html=page, store=False)
    assert analysis["text"]
    assert analysis["claims"]
    for claim in analysis["claims"]:
        assert analysis["text"][claim["start"] : claim["end"]] == claim["text"]


def test_only_the_checks_asked_for_are_made(client: TestClient) -> None:
    origin_only = post_sample(client, KAZAKH, checks=["origin"])
    assert origin_only["claims_status"] == "not_requested"
    assert origin_only["claims"] == []
    assert origin_only["origin"] is not None
    claims_only = post_sample(client, KAZAKH, checks=["claims"])
    assert claims_only["origin"] is None
    assert claims_only["claims"]


def test_a_stored_analysis_can_be_read_again_and_an_unstored_one_cannot(client: TestClient) -> None:
    answer = client.post("/v1/articles", json={"text": KAZAKH.text, "checks": ["origin"]})
    assert answer.status_code == 201
    stored = answer.json()
    again = client.get(answer.headers["location"])
    assert again.status_code == 200
    assert again.json() == stored
    unstored = client.post("/v1/articles", json={"text": KAZAKH.text, "store": False})
    assert unstored.status_code == 200
    assert client.get(f"/v1/articles/{unstored.json()['id']}").status_code == 404


def test_stored_articles_are_listed_page_by_page(client: TestClient) -> None:
    wanted = [
        client.post("/v1/articles", json={"text": f"A notice, number {number}.", "outlet": "Example"})
        for number in range(3)
    ]
    ids = [answer.json()["id"] for answer in wanted]
    listed, after = [], None
    while True:
        page = client.get("/v1/articles", params={"limit": 2, **({"after": after} if after else {})}).json()
        assert len(page["items"]) <= 2
        listed += page["items"]
        after = page["next"]
        if after is None:
            break
    assert [item["id"] for item in listed[:3]] == ids[::-1]
    assert len({item["id"] for item in listed}) == len(listed)
    assert (listed[0]["outlet"], listed[0]["text_dropped_at"]) == ("Example", None)
    assert "text" not in listed[0]


def test_agency_copy_is_recognised(client: TestClient) -> None:
    article = ARTICLES["sample-article-hu-space"]
    first = post_sample(client, article, store=True)
    assert first["near_duplicates"] == []
    copied = "Közlemény érkezett szerkesztőségünkbe. " + article.text
    second = post(client, text=copied, title="Másik cím", store=False)
    assert [duplicate["article_id"] for duplicate in second["near_duplicates"]] == [first["id"]]
    assert second["near_duplicates"][0]["shared_text"] > 0.8


def test_an_article_without_claims_still_gets_related_records(client: TestClient) -> None:
    analysis = post_sample(client, ARTICLES["sample-article-ky-mountains"])
    assert 1 <= len(analysis["related_records"]) <= 5
    scores = [record["score"] for record in analysis["related_records"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("declared", "outcome", "detail"),
    [
        ("assisted", "ai", {"involvement": "assisted"}),
        ("none", "human", {"involvement": "none"}),
        (True, "ai", {"involved": True}),
        (False, "human", {"involved": False}),
    ],
)
def test_a_declaration_stands_beside_the_verdict_and_does_not_change_it(
    client: TestClient, kazakh: dict[str, Any], declared: Any, outcome: str, detail: dict[str, Any]
) -> None:
    origin = post_sample(client, KAZAKH, declared=declared, checks=["origin"])["origin"]
    signals = [signal for signal in origin["signals"] if signal["type"] == "declaration"]
    assert [(signal["outcome"], signal["detail"]) for signal in signals] == [(outcome, detail)]
    assert origin["verdict"] == kazakh["origin"]["verdict"]
    assert origin["score"] == pytest.approx(kazakh["origin"]["score"])


def test_hidden_characters_are_reported_and_offsets_still_count_the_text_as_sent(client: TestClient) -> None:
    text = KAZAKH.text.replace(" ", " \u200b", 3)
    analysis = post(client, text=text, store=False)
    signals = [signal for signal in analysis["origin"]["signals"] if signal["type"] == "hidden_characters"]
    assert [signal["outcome"] for signal in signals] == ["inconclusive"]
    assert signals[0]["detail"]["zero_width"] == 3
    for claim in analysis["claims"]:
        assert text[claim["start"] : claim["end"]] == claim["text"]


def test_the_answer_names_what_made_it(client: TestClient, kazakh: dict[str, Any]) -> None:
    assert {"encoder", "search_encoder", "ai_text", "checkworthy", "stance"} == set(kazakh["models"])
    assert all(kazakh["models"].values())
    assert kazakh["index_generation"] > 0
    assert kazakh["timings"]["total"] >= max(kazakh["timings"].values()) > 0
    assert kazakh["truncated"] == {"sentences": False, "windows": False}
    client.post("/v1/records", json={"id": "generation", "claim": "A record moves the generation on."})
    assert post_sample(client, KAZAKH)["index_generation"] > kazakh["index_generation"]
    client.delete("/v1/records/generation")


def test_as_of_leaves_out_what_was_not_valid_then(client: TestClient) -> None:
    record = {"id": "temporary", "claim": "Ақтөбе қаласындағы көпір 2031 жылы ашылды.", "language": "kk"}
    client.post("/v1/records", json={**record, "valid_from": "2031-05-01"})

    def found(as_of: str) -> bool:
        analysis = post(client, text=record["claim"] * 2, as_of=as_of, store=False, language="kk")
        return "temporary" in {item["record_id"] for item in analysis["related_records"]}

    assert found("2031-06-01")
    assert not found("2030-06-01")
    client.delete("/v1/records/temporary")


def test_a_page_is_read_for_what_it_says_about_itself(client: TestClient) -> None:
    paragraphs = "".join(f"<p>{part}</p>" for part in KAZAKH.text.split("\n") if part.strip())
    head = '<title>Бет</title><meta name="ai-disclosure" content="ai-generated">'
    page = (
        f"<!doctype html><html lang=kk><head>{head}</head><body><article>{paragraphs}</article></body></html>"
    )
    origin = post(client, html=page, store=False, checks=["origin"])["origin"]
    signals = {signal["type"]: signal["outcome"] for signal in origin["signals"]}
    assert signals["html_meta"] == "ai"
    # Markup that anybody can write asks for a review; it confirms nothing.
    assert origin["label"]["state"] == "likely_ai_unconfirmed"
    assert "unsigned_metadata" in origin["label"]["review_reasons"]
    declared = post(client, html=page, store=False, checks=["origin"], declared="none")["origin"]["label"]
    assert declared["status"] == "disputed"
    declared = post(client, html=page, store=False, checks=["origin"], declared="generated")["origin"][
        "label"
    ]
    assert (declared["state"], declared["status"]) == ("ai_generated", "active")
