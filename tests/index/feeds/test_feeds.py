"""Feeds of every kind, read from bytes: records, corrections, retractions, and what is left out."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.feeds import FeedContent, FeedError, FeedSource, read_feed
from index.feeds.content import FEED_KINDS, FeedKind, content_key, moment_text, plain_address, plain_text

SOURCE = FeedSource("desk", "https://desk.example/feed", publisher="Desk", language="kk")


def review(**fields: Any) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": "https://desk.example/check/1",
        "claimReviewed": "The dam holds <b>two</b> cubic kilometres.",
        "datePublished": "2024-03-05",
        "author": {"@type": "Organization", "name": "Fact Desk"},
        "reviewRating": {
            "ratingValue": "1",
            "bestRating": "5",
            "worstRating": "1",
            "alternateName": "Жалған",
        },
        "inLanguage": "kk",
        **fields,
    }


def read(document: Any) -> FeedContent:
    return read_feed(json.dumps(document).encode(), "claimreview", SOURCE)


def page(*blocks: str) -> bytes:
    scripts = "".join(f'<script type="application/ld+json">{block}</script>' for block in blocks)
    return f"<!doctype html><html><head>{scripts}</head><body><p>…</p></body></html>".encode()


class TestClaimReview:
    def test_in_a_page_beside_a_broken_block(self) -> None:
        content = page("{ broken", json.dumps({"@graph": [{"@type": "NewsArticle"}, review()]}))
        (record,) = read_feed(content, "claimreview", SOURCE).records
        assert record.claim == "The dam holds two cubic kilometres."
        assert (record.publisher, record.language) == ("Fact Desk", "kk")
        assert (record.rating, record.rating_normalised) == ("Жалған", "false")
        assert str(record.published_at) == "2024-03-05"
        assert record.url == "https://desk.example/check/1"

    def test_in_a_dump_of_any_nesting(self) -> None:
        feed = {
            "@type": "DataFeed",
            "dataFeedElement": [{"item": [review()]}, {"item": review(url="https://x.example/2")}],
        }
        assert (
            len(read(feed).records) == 1
        )  # the same claim and verdict by the same publisher at two addresses
        other = review(url="https://x.example/2", claimReviewed="The road is closed.")
        assert len(read([review(), {"item": other}]).records) == 2

    @pytest.mark.parametrize(
        ("value", "shown", "meaning"),
        [(5, "5 / 5", "true"), (4, "4 / 5", "mostly_true"), (3, "3 / 5", "mixed"),
         (2, "2 / 5", "mostly_false"), ("1", "1 / 5", "false"), (-1, None, None), ("many", None, None)],
    )  # fmt: skip
    def test_a_number_on_a_scale(self, value: object, shown: str | None, meaning: str | None) -> None:
        rating = {"ratingValue": value, "bestRating": 5, "worstRating": "1"}
        (record,) = read(review(reviewRating=rating)).records
        assert (record.rating, record.rating_normalised) == (shown, meaning)

    def test_words_go_before_numbers(self) -> None:
        rating = {"ratingValue": 5, "bestRating": 5, "worstRating": 1, "alternateName": "Not so fast"}
        (record,) = read(review(reviewRating=rating)).records
        assert (record.rating, record.rating_normalised) == ("Not so fast", None)

    def test_a_reworded_claim_keeps_its_record(self) -> None:
        (first,) = read(review()).records
        (second,) = read(review(claimReviewed="The dam holds three cubic kilometres.")).records
        assert first.id == second.id

    def test_two_reviews_at_one_address_are_two_records(self) -> None:
        records = read([review(), review(claimReviewed="The dam is new.")]).records
        assert len({record.id for record in records}) == 2

    def test_taken_back(self) -> None:
        (first,) = read(review()).records
        content = read(review(creativeWorkStatus="Retracted"))
        assert (content.records, content.retracted) == ([], [first.id])

    def test_without_a_claim_it_is_named_and_left_out(self) -> None:
        content = read([review(claimReviewed=None), review(url="https://x.example/3")])
        assert len(content.records) == 1
        assert "claim" in content.rejected[0]

    def test_nesting_without_end(self) -> None:
        with pytest.raises(FeedError, match="deeply"):
            read_feed(b'{"a":' * 100 + b"1" + b"}" * 100, "claimreview", SOURCE)


RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>The Outlet</title><language>tr</language>
<item><title>Baraj d&#252;n a&#231;&#305;ld&#305;</title><link>https://out.example/a?utm_source=x</link><guid>a-1</guid>
<pubDate>Tue, 05 Mar 2024 10:00:00 +0300</pubDate>
<description>&lt;p&gt;Baraj &lt;b&gt;bitti&lt;/b&gt;.&lt;/p&gt;</description></item>
<item><title></title><guid>a-2</guid></item></channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"><title>Desk</title>
<entry><id>tag:1</id><title>The bridge opened</title><link href="https://out.example/b"/>
<updated>2024-03-05T10:00:00Z</updated><content type="html">&lt;p&gt;It opened.&lt;/p&gt;</content></entry>
<at:deleted-entry ref="tag:0" when="2024-03-06T10:00:00Z"/></feed>"""

SITEMAP = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc>https://out.example/c</loc><news:news><news:publication><news:name>Kabar</news:name>
<news:language>ky</news:language></news:publication><news:publication_date>2024-03-05</news:publication_date>
<news:title>Көпүрө ачылды</news:title></news:news></url><url><loc>https://out.example/d</loc></url></urlset>"""


class TestXml:
    def test_rss(self) -> None:
        content = read_feed(RSS.encode(), "syndication", FeedSource("out"))
        (record,) = content.records
        assert (record.claim, record.text) == ("Baraj dün açıldı", "Baraj bitti.")
        assert (record.publisher, record.language) == ("The Outlet", "tr")
        assert record.published_at is not None
        assert record.published_at.isoformat() == "2024-03-05T07:00:00+00:00"
        assert len(content.rejected) == 1

    def test_atom_with_a_deleted_entry(self) -> None:
        content = read_feed(ATOM.encode(), "syndication", SOURCE)
        assert [record.text for record in content.records] == ["It opened."]
        assert len(content.retracted) == 1
        assert content.retracted[0] != content.records[0].id

    def test_news_sitemap(self) -> None:
        (record,) = read_feed(SITEMAP.encode(), "news-sitemap", FeedSource("out")).records
        assert (record.claim, record.publisher, record.language) == ("Көпүрө ачылды", "Kabar", "ky")

    def test_an_index_of_sitemaps_is_refused(self) -> None:
        with pytest.raises(FeedError, match="index"):
            read_feed(SITEMAP.replace("urlset", "sitemapindex").encode(), "news-sitemap", SOURCE)

    def test_entities_of_strangers_are_not_read(self) -> None:
        evil = '<!DOCTYPE urlset [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + SITEMAP.replace(
            "Kabar", "Kabar&e;"
        )
        (record,) = read_feed(evil.encode(), "news-sitemap", FeedSource("out")).records
        assert record.publisher == "Kabar"


ROWS = [
    {"id": "1", "claim": "The road is open.", "rating": "True", "published_at": "2024-03-05"},
    {"id": "2", "claim": "The road is closed.", "retracted": "true"},
]


class TestTables:
    def check(self, content: bytes, kind: FeedKind) -> None:
        found = read_feed(content, kind, SOURCE)
        (record,) = found.records
        assert (record.claim, record.rating_normalised, record.publisher) == (
            "The road is open.",
            "true",
            "Desk",
        )
        assert str(record.published_at) == "2024-03-05"
        assert len(found.retracted) == 1

    def test_jsonl(self) -> None:
        self.check("\n".join(json.dumps(row) for row in ROWS).encode("utf-8-sig"), "jsonl")

    @pytest.mark.parametrize("mark", [",", ";", "\t"])
    def test_csv(self, mark: str) -> None:
        heading = ["id", "claim", "rating", "published_at", "retracted"]
        lines = [mark.join(heading), *(mark.join(row.get(name, "") for name in heading) for row in ROWS)]
        self.check("\r\n".join(lines).encode(), "csv")

    def test_parquet(self) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        sink = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(ROWS, pa.schema([(n, pa.string()) for n in
            ("id", "claim", "rating", "published_at", "retracted")])), sink)  # fmt: skip
        self.check(sink.getvalue(), "parquet")

    def test_a_retracted_row_given_again_is_back(self) -> None:
        rows = [{"id": "2", "claim": "x", "retracted": "1"}, {"id": "2", "claim": "It is open."}]
        content = read_feed("\n".join(map(json.dumps, rows)).encode(), "jsonl", SOURCE)
        assert (len(content.records), content.retracted) == (1, [])

    @pytest.mark.parametrize(
        ("kind", "content"),
        [("jsonl", b"[1]"), ("jsonl", b"{"), ("csv", b"a,b\n1,2"), ("parquet", b"PAR1"),
         ("syndication", b"<html></html>"), ("csv", b"claim\n\xff"), ("news-sitemap", b"<feed/>"),
         ("claimreview", b""), ("claimreview", b"{")],
    )  # fmt: skip
    def test_what_is_no_feed_is_said_to_be_none(self, kind: FeedKind, content: bytes) -> None:
        with pytest.raises(FeedError):
            read_feed(content, kind, SOURCE)


@given(st.binary(max_size=300), st.sampled_from(FEED_KINDS))
def test_any_bytes_give_records_or_a_feed_error(content: bytes, kind: FeedKind) -> None:
    try:
        found = read_feed(content, kind, SOURCE)
    except FeedError:
        return
    assert len({record.id for record in found.records}) == len(found.records)


def test_addresses_without_what_only_tracks() -> None:
    assert plain_address("https://A.example/x?utm_source=1&id=2&fbclid=3#top") == "https://a.example/x?id=2"
    assert plain_address(" tag:1 ") == "tag:1"


def test_moments() -> None:
    assert moment_text("Tue, 05 Mar 2024 10:00:00 GMT") == "2024-03-05T10:00:00+00:00"
    assert moment_text("2024-03-05") == "2024-03-05"
    assert moment_text("yesterday") is None


def test_scripts_are_no_text() -> None:
    assert plain_text("<p>One</p><script>alert(1)</script> two &amp; three") == "One two & three"
    assert plain_text("  ") is None


def test_content_is_claim_verdict_and_publisher() -> None:
    (one,) = read(review()).records
    (other,) = read(review(url="https://desk.example/other", datePublished="2024-04-01")).records
    (corrected,) = read(review(reviewRating={"alternateName": "Рас"})).records
    assert one.id != other.id
    assert content_key(one) == content_key(other)
    assert content_key(one) != content_key(corrected)
