"""What others write about how their content was made, as our readers take it."""

from __future__ import annotations

import json

import extruct
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.provenance import ProvenanceReader, read_header, read_html, read_xmp, sniff_media_type
from classifiers.provenance.vocabularies import (
    SOURCE_TYPES,
    read_disclosure,
    read_source_type,
    schema_org_value,
)
from classifiers.provenance.xmp import NAMESPACE


def page(head: str = "", body: str = "<article><p>Text.</p></article>") -> str:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"


def only(html: str):
    (signal,) = read_html(html).signals
    return signal


@pytest.mark.parametrize("term", SOURCE_TYPES.values(), ids=lambda term: term.id)
def test_every_source_type_is_read_however_it_is_written(term) -> None:
    spellings = [term.uri, term.uri.replace("http://", "https://"), term.id, f" {term.uri} "]
    if "iptc" in term.uri:
        spellings.append(f"digsrctype:{term.id}")
    if term.schema_org:
        name = f"{term.schema_org}DigitalSource"
        spellings += [f"https://schema.org/{name}", f"http://schema.org/{name}", name]
    assert {read_source_type(value) for value in spellings} == {term}
    assert read_source_type(schema_org_value(term)) == term


@pytest.mark.parametrize("value", ["", "nonsense", "http://cv.iptc.org/newscodes/digitalsourcetype/x"])
def test_other_words_are_no_source_type(value: str) -> None:
    assert read_source_type(value) is None


@pytest.mark.parametrize(
    ("value", "outcome", "involvement", "review"),
    [
        ("human-only", "human", "none", None),
        ("ai-assisted", "ai", None, "reviewed"),
        ("ai-autonomous", "ai", None, "none"),
        ("none", "human", "none", None),
        ("ai-generated", "ai", "generated", None),
        ("mixed", "ai", "mixed", None),
        ("AI-Generated", "ai", "generated", None),
        ("ai_summarized; required=undetermined; icon=ai_generated", "ai", "assisted", None),
        ("something else", "inconclusive", None, None),
    ],
)
def test_meta_disclosures_of_both_vocabularies(value, outcome, involvement, review) -> None:
    signal = only(page(f'<meta name="AI-Disclosure" content="{value}"><meta name="ai-model" content="M">'))
    assert (signal.outcome, signal.involvement, signal.human_review) == (outcome, involvement, review)
    assert signal.detail["ai-model"] == "M"
    assert signal.standing == "unsigned"


def test_the_first_meta_element_counts() -> None:
    head = (
        '<meta name="ai-disclosure" content="human-only"><meta name="ai-disclosure" content="ai-generated">'
    )
    assert only(page(head)).outcome == "human"


@pytest.mark.parametrize("name", ["ai-disclosure", "data-ai-disclosure"])
def test_attributes_of_the_whole_and_of_parts(name: str) -> None:
    whole = only(page(body=f'<article {name}="ai-generated"><p>x</p></article>'))
    assert (whole.type, whole.involvement) == ("html_attribute", "generated")
    part = only(page(body=f'<article><p {name}="ai-generated">x</p><p>y</p></article>'))
    assert part.involvement == "mixed"
    human_part = only(page(body=f'<article><p {name}="human-only">x</p></article>'))
    assert human_part.outcome == "inconclusive"


JSONLD = {
    "@context": "https://schema.org",
    "@graph": [
        {
            "@type": "NewsArticle",
            "digitalSourceType": "https://schema.org/TrainedAlgorithmicMediaDigitalSource",
            "creditText": "Made with a model",
            "image": {
                "@type": "ImageObject",
                "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
            },
        }
    ],
}
SCRIPT = f'<script type="application/ld+json">{json.dumps(JSONLD)}</script>'


def test_jsonld_of_the_article_and_not_of_its_picture() -> None:
    signal = only(page(SCRIPT))
    assert (signal.type, signal.involvement) == ("jsonld", "generated")
    assert signal.detail["media"] == ["http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"]
    assert signal.detail["creditText"] == "Made with a model"
    # A second implementation sees the same markup.
    (seen,) = extruct.extract(page(SCRIPT), syntaxes=["json-ld"])["json-ld"]
    assert seen["@graph"][0]["digitalSourceType"] == signal.detail["digitalSourceType"][0]


def test_microdata() -> None:
    source = "https://schema.org/CompositeWithTrainedAlgorithmicMediaDigitalSource"
    body = (
        '<article itemscope itemtype="https://schema.org/NewsArticle">'
        f'<link itemprop="digitalSourceType" href="{source}"><span itemprop="creditText">Desk</span>'
        '<figure itemprop="image" itemscope itemtype="https://schema.org/ImageObject">'
        '<link itemprop="digitalSourceType" href="https://schema.org/TrainedAlgorithmicMediaDigitalSource">'
        "</figure></article>"
    )
    signal = only(page(body=body))
    assert (signal.type, signal.involvement, len(signal.detail["media"])) == ("microdata", "assisted", 1)
    (seen,) = extruct.extract(page(body=body), syntaxes=["microdata"])["microdata"]
    assert seen["properties"]["digitalSourceType"] == source


def test_a_page_names_its_manifest_and_labels() -> None:
    head = '<link rel="c2pa-manifest" href="/x.c2pa" type="application/c2pa">'
    found = read_html(page(head, '<aside data-ai-label="urn:uuid:1">x</aside>'))
    assert (found.manifest_links, found.label_ids) == (("/x.c2pa",), ("urn:uuid:1",))


@pytest.mark.parametrize(
    ("value", "outcome", "involvement", "review"),
    [
        ('mode=ai-originated, model="x", reviewed-by="y", date=@1745286896', "ai", "generated", "reviewed"),
        ('mode=ai-originated; model="x"; reviewed-by="y"; date=@1745286896', "ai", "generated", "reviewed"),
        ("mode=machine-generated", "ai", "generated", "none"),
        ("mode=ai-modified", "ai", "assisted", None),
        ("mode=none", "human", "none", None),
        ("mode=other", "inconclusive", None, None),
        ("mode=(a b)", "inconclusive", None, None),
        ("=;=", "inconclusive", None, None),
        ("mode=жи", "inconclusive", None, None),
        ("", "inconclusive", None, None),
    ],
)
def test_headers_in_both_spellings(value, outcome, involvement, review) -> None:
    signal = read_header(value)
    assert (signal.outcome, signal.involvement, signal.human_review) == (outcome, involvement, review)


def packet(fields: str, attributes: str = "") -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:i="{NAMESPACE}" {attributes}>{fields}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def test_xmp_as_elements_attributes_and_resources() -> None:
    uri = SOURCE_TYPES["trainedAlgorithmicMedia"].uri
    rdf = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'"
    for found in (
        packet(f"<i:DigitalSourceType>{uri}</i:DigitalSourceType>"),
        packet("", f'i:DigitalSourceType="{uri}"'),
        packet(f"<i:DigitalSourceType {rdf} rdf:resource='{uri}'/>"),
    ):
        (signal,) = read_xmp(b"\xff\xd8\xff junk" + found + b"more")
        assert (signal.outcome, signal.involvement) == ("ai", "generated")


def test_a_named_system_says_that_ai_took_part() -> None:
    (signal,) = read_xmp(packet("<i:AISystemUsed>Example LM</i:AISystemUsed>"))
    assert (signal.outcome, signal.involvement, signal.detail["system"]) == ("ai", None, "Example LM")


def test_a_packet_with_entities_is_not_expanded() -> None:
    bomb = packet("<i:AISystemUsed>&a;</i:AISystemUsed>")
    assert read_xmp(b'<!DOCTYPE x [<!ENTITY a "b">]>' + bomb) == []


def test_hidden_characters_are_a_note() -> None:
    reader = ProvenanceReader()
    (note,) = reader.read_text("Кітап\u200bхана көшті.").signals
    assert (note.type, note.outcome, note.standing) == ("unicode", "inconclusive", "note")
    assert reader.read_text("Кітапхана көшті.").signals == ()


@given(st.text(max_size=400))
def test_no_page_header_or_packet_breaks_a_reader(text: str) -> None:
    read_html(text)
    read_html(page(f'<script type="application/ld+json">{text}</script>', text))
    read_header(text)
    read_xmp(packet("").replace(b"</rdf:Description>", text.encode("utf-8", "replace")))
    read_disclosure(text)
    read_source_type(text)


@given(st.binary(max_size=200))
def test_no_bytes_break_a_reader(content: bytes) -> None:
    read_xmp(content)
    sniff_media_type(content)
