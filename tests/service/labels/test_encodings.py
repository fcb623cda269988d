"""Every encoding there and back: issue, write, read with our readers and with somebody else's, same state."""

from __future__ import annotations

import base64
import io
import json
import zlib
from datetime import UTC, datetime
from typing import Any

import c2pa_text
import encypher_c2pa
import extruct
import http_sfv
import pytest
from defusedxml.ElementTree import fromstring
from http_sfv.types import Token
from PIL import Image

from classifiers.provenance import (
    ProvenanceConfig,
    ProvenanceReader,
    ProvenanceSignal,
    read_c2pa,
    read_header,
    read_html,
    read_xmp,
)
from classifiers.provenance.html import PageDisclosures
from classifiers.provenance.vocabularies import read_source_type
from service.labels.encodings import c2pa
from service.labels.encodings.html import strip
from service.labels.encodings.linked_data import claim_review_jsonld
from service.labels.encodings.marks import Marks, marks_of
from service.labels.evidence import claimed
from service.labels.issuing import LabelDesk, document_of
from service.labels.model import CONFIRMED_STATES
from service.labels.rendering import Encodings, encodings_of
from service.labels.request import LabelRequest
from service.store.labels import StoredLabel

TEXT = "Қала кітапханасы жаңа ғимаратқа көшті. Оқырмандарды бейсенбіден бастап қабылдайды."
PAGE = f"""<!doctype html>
<html lang="kk"><head><meta charset="utf-8"><title>Кітапхана</title></head>
<body class="x"><article id="main"><h1>Кітапхана көшті</h1><p id="one">{TEXT}</p></article></body></html>"""
CASES = [
    ("none", "reviewed"),
    ("none", None),
    ("assisted", "reviewed"),
    ("assisted", "none"),
    ("assisted", None),
    ("generated", "reviewed"),
    ("generated", "none"),
    ("generated", None),
    ("mixed", None),
]
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def issue(desk: LabelDesk, involvement: str, review: str | None, **fields: Any) -> StoredLabel:
    values = {
        "html": PAGE,
        "url": "https://news.example/kitaphana",
        "title": "Кітапхана көшті",
        "language": "kk",
        "declared": involvement,
        "human_review": review,
        "ai_system": {"name": "Example LM", "provider": "Мысал", "version": "3"},
        "editorial_responsibility": {"name": "A. Editor"},
    }
    label = desk.issue(LabelRequest(**{**values, **fields}))
    assert label.state in CONFIRMED_STATES
    return label


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def label(request: pytest.FixtureRequest, desk: LabelDesk) -> StoredLabel:
    return issue(desk, *request.param)


def encoded(desk: LabelDesk, label: StoredLabel) -> Encodings:
    found = encodings_of(desk, label)
    assert found is not None
    return found


def same_state(label: StoredLabel, signals: list[ProvenanceSignal]) -> None:
    assert claimed(signals, NOW).state == label.state


def review_of(signals: list[ProvenanceSignal]) -> str:
    return claimed(signals, NOW).human_review


def test_jsonld(desk: LabelDesk, label: StoredLabel) -> None:
    script = json.dumps(encoded(desk, label).jsonld, ensure_ascii=False)
    page = PAGE.replace("</head>", f'<script type="application/ld+json">{script}</script></head>')
    found = read_html(page)
    same_state(label, list(found.signals))
    assert found.label_ids == (f"urn:uuid:{label.id}",)
    (seen,) = extruct.extract(page, syntaxes=["json-ld"])["json-ld"]
    assert read_source_type(seen["digitalSourceType"]) is not None
    assert seen["@type"] == "NewsArticle"


def test_xmp(desk: LabelDesk, label: StoredLabel) -> None:
    packet = encoded(desk, label).xmp.encode()
    same_state(label, read_xmp(packet))
    # In a picture written and read back by another library.
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "JPEG", xmp=packet)
    same_state(label, read_xmp(picture.getvalue()))
    seen = Image.open(io.BytesIO(picture.getvalue())).getxmp()["xmpmeta"]["RDF"]["Description"]
    term = read_source_type(seen["DigitalSourceType"])
    assert term is not None
    assert fromstring(packet.split(b"?>", 1)[1].rsplit(b"<?", 1)[0]).tag.endswith("xmpmeta")


def test_headers(desk: LabelDesk, label: StoredLabel) -> None:
    headers = encoded(desk, label).headers
    assert headers["Link"] == f'<https://news.example/v1/labels/{label.id}.c2pa>; rel="c2pa-manifest"'
    if label.state == "mixed":
        assert "AI-Disclosure" not in headers
        return
    signal = read_header(headers["AI-Disclosure"])
    same_state(label, [signal])
    if label.human_review == "reviewed" or label.involvement == "generated":
        assert review_of([signal]) == label.human_review
    parsed = http_sfv.Dictionary()
    parsed.parse(headers["AI-Disclosure"].encode())
    assert str(parsed) == headers["AI-Disclosure"]
    # Written bare: the draft's modes are tokens, not strings.
    assert isinstance(parsed["mode"].value, Token)


def test_ninjs(desk: LabelDesk, label: StoredLabel) -> None:
    item = encoded(desk, label).ninjs
    term = read_source_type(item["digitalSourceType"]["uri"])
    assert term is not None
    signal = ProvenanceSignal("jsonld", term.claim.outcome, "unsigned", "test", term.claim.involvement)
    same_state(label, [signal])


def test_html(desk: LabelDesk, label: StoredLabel) -> None:
    page = desk.embed(label.id, PAGE)
    found: PageDisclosures = read_html(page)
    same_state(label, list(found.signals))
    marks = marks_of(document_of(label), "active")
    assert marks is not None
    if marks.disclosure is not None and label.involvement != "none":
        assert review_of(list(found.signals)) == label.human_review
        assert f'<article id="main" ai-disclosure="{marks.disclosure}"' in page
    assert found.manifest_links == (f"https://news.example/v1/labels/{label.id}.c2pa",)
    # Without what we wrote it is the page that came in.
    assert "".join(strip(page).split()) == "".join(PAGE.split())


def test_c2pa_sidecar_by_two_verifiers(desk: LabelDesk, label: StoredLabel) -> None:
    page = desk.embed(label.id, PAGE).encode()
    kept = desk.store.labels.manifest(label.id)
    assert kept is not None
    anchors = desk.authority.anchor()
    found = read_c2pa(page, "text/html", manifest=kept.manifest, anchors=anchors)
    assert found is not None
    assert (found.state, found.failures) == ("Trusted", ())
    assert found.label is not None
    assert found.label["jws"] == label.jws
    same_state(label, [found.as_signal()])
    if label.involvement != "none":
        assert review_of([found.as_signal()]) == label.human_review
    untrusted = read_c2pa(page, "text/html", manifest=kept.manifest)
    assert untrusted is not None
    assert (untrusted.state, untrusted.failures) == ("Valid", ("signingCredential.untrusted",))
    for place in (page.index(b"</h1>") - 3, len(page) - 12):
        tampered = bytearray(page)
        tampered[place] ^= 1
        broken = read_c2pa(bytes(tampered), "text/html", manifest=kept.manifest, anchors=anchors)
        assert broken is not None
        assert broken.state == "Invalid"
        assert broken.as_signal().outcome == "inconclusive"
    changed = bytearray(kept.manifest)
    assert label.jws is not None
    # Somewhere in what is signed; the store has padding as well.
    changed[kept.manifest.index(label.jws[:30].encode()) + 5] ^= 1
    spoiled = read_c2pa(page, "text/html", manifest=bytes(changed), anchors=anchors)
    assert spoiled is not None
    assert spoiled.state == "Invalid"
    report = encypher_c2pa.verify(
        page,
        "text/html",
        manifest_store=kept.manifest,
        trust_pem=anchors,
        no_default_trust=True,
        telemetry=False,
        online=False,
    )
    assert (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")
    assert report["validation_state"] == "Trusted"


def parts(desk: LabelDesk, label: StoredLabel) -> dict[str, Any]:
    document = document_of(label)
    marks = marks_of(document, "active")
    assert isinstance(marks, Marks)
    return {
        "document": document,
        "jws": label.jws,
        "marks": marks,
        "ring": desk.ring,
        "authority": desk.authority,
    }


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "PDF"])
def test_c2pa_inside_files(desk: LabelDesk, kind: str) -> None:
    label = issue(desk, "generated", "reviewed")
    media_type = "application/pdf" if kind == "PDF" else f"image/{kind.lower()}"
    content = c2pa.embedded(picture(kind), media_type, **parts(desk, label))
    reader = ProvenanceReader(ProvenanceConfig(anchors=desk.authority.anchor()))
    (signal,) = reader.read_file(content, media_type).signals
    assert (signal.standing, signal.involvement, signal.human_review) == ("trusted", "generated", "reviewed")
    untrusted = read_c2pa(content, media_type)
    assert untrusted is not None
    assert untrusted.state == "Valid"
    tampered = bytearray(content)
    # One byte of the picture itself.
    start = {"JPEG": b"\xff\xda", "PNG": b"IDAT", "WEBP": b"VP8 ", "PDF": b"stream"}[kind]
    tampered[content.rindex(start) + 20 if kind != "PDF" else content.index(start) + 20] ^= 1
    broken = read_c2pa(bytes(tampered), media_type, anchors=desk.authority.anchor())
    assert broken is not None
    assert broken.state == "Invalid"
    assert reader.read_file(picture(kind), media_type).signals == ()


def test_c2pa_wrapped_into_the_text(desk: LabelDesk) -> None:
    label = issue(desk, "assisted", "reviewed", html=None, text=TEXT)
    kept = desk.store.labels.manifest(label.id)
    assert kept is not None
    wrapped = c2pa_text.embed_manifest(TEXT, kept.manifest)
    reader = ProvenanceReader(ProvenanceConfig(anchors=desk.authority.anchor()))
    found = reader.read_text(wrapped)
    assert found.c2pa is not None
    assert found.c2pa.state == "Trusted"
    changed = reader.read_text(wrapped.replace("жаңа", "ескі"))
    assert changed.c2pa is not None
    assert changed.c2pa.state == "Invalid"


def test_c2pa_inline_in_a_page_that_was_changed_after_signing(desk: LabelDesk) -> None:
    label = issue(desk, "generated", None)
    manifest = c2pa.sidecar(PAGE.encode(), "text/html", **parts(desk, label))
    inline = c2pa_text.embed_html_inline(PAGE, manifest)
    found = read_c2pa(inline.html.encode(), "text/html", anchors=desk.authority.anchor())
    # The signature is sound, but it covers the page without the element: no match, so no evidence.
    assert found is not None
    assert found.state == "Invalid"


@pytest.mark.parametrize(
    "junk", [b"", b"junk", b"\x00\x00\x00\x10jumb" + bytes(8), zlib.compress(b"x" * 1000)]
)
def test_a_manifest_that_is_none_is_invalid(junk: bytes) -> None:
    found = read_c2pa(PAGE.encode(), "text/html", manifest=junk)
    assert found is not None
    assert (found.state, found.claim.outcome) == ("Invalid", "inconclusive")


def test_a_signed_manifest_of_somebody_else_counts_for_a_label(desk: LabelDesk) -> None:
    """A trusted AI manifest outranks the author's word; nothing is signed until a person decides."""
    label = issue(desk, "generated", None, url="https://other.example/")
    assertions = {
        "claim_generator_info": [{"name": "other"}],
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
                        }
                    ]
                },
            }
        ],
    }
    manifest = c2pa._sign(PAGE.encode(), "text/html", assertions, desk.ring, desk.authority, embed=False)[1]
    found = read_c2pa(PAGE.encode(), "text/html", manifest=manifest, anchors=desk.authority.anchor())
    assert found is not None
    assert found.as_signal().standing == "trusted"
    request = LabelRequest(
        html=PAGE,
        url="https://news.example/2",
        declared="none",
        manifest=base64.b64encode(manifest).decode(),
    )
    disputed = desk.prepare(request).proposal
    assert (disputed.status, disputed.state, disputed.basis) == (
        "disputed",
        "ai_generated",
        "provenance_signed",
    )
    assert label.status == "active"


def test_what_is_not_confirmed_writes_nothing(desk: LabelDesk) -> None:
    draft = desk.issue(LabelRequest(html=PAGE))
    assert draft.state == "undetermined"
    assert encodings_of(desk, draft) is None
    decided = desk.issue(
        LabelRequest(
            html=PAGE, decision={"by": "A. Editor", "involvement": "unknown", "reason": "no way to know"}
        )
    )
    # A reviewer may publish that it is not known; machines are told nothing.
    assert (decided.status, decided.state) == ("active", "undetermined")
    assert decided.jws is not None
    assert encodings_of(desk, decided) is None
    assert desk.store.labels.manifest(decided.id) is None


def test_segments_of_a_mixed_page_are_marked_one_by_one(desk: LabelDesk) -> None:
    segments = [{"element_id": "one", "involvement": "generated"}]
    label = issue(desk, "mixed", "reviewed", segments=segments)
    page = desk.embed(label.id, PAGE)
    assert '<p id="one" ai-disclosure="ai-assisted"' in page
    assert '<meta name="ai-disclosure"' not in page
    same_state(label, list(read_html(page).signals))


@pytest.mark.parametrize(
    "page", ["<p>only a part</p>", "<body><p>x</p></body>", "<HTML><HEAD></HEAD><BODY>x</BODY>"]
)
def test_badges_go_into_any_page(desk: LabelDesk, page: str) -> None:
    page = page.replace("x", TEXT).replace("only a part", TEXT)
    label = issue(desk, "generated", "none", html=page)
    found = read_html(desk.embed(label.id, page))
    same_state(label, list(found.signals))
    assert f"urn:uuid:{label.id}" in found.label_ids


def test_titles_cannot_break_out_of_the_markup(desk: LabelDesk) -> None:
    evil = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    label = issue(desk, "generated", None, title=evil)
    page = desk.embed(label.id, PAGE)
    assert "<script>alert" not in page
    assert "<img" not in page
    script = next(item for item in extruct.extract(page, syntaxes=["json-ld"])["json-ld"])
    assert script["headline"] == evil


def test_claim_review() -> None:
    found = claim_review_jsonld(
        claim="Кітапхана жабылды.",
        rating="Жалған",
        review_url="https://news.example/check/1",
        publisher="Example News",
        reviewed_on=NOW.date(),
        claim_url="https://other.example/post",
        language="kk",
        label_id="urn:uuid:1",
    )
    page = f'<html><script type="application/ld+json">{json.dumps(found)}</script></html>'
    (seen,) = extruct.extract(page, syntaxes=["json-ld"])["json-ld"]
    assert seen["@type"] == "ClaimReview"
    assert {"claimReviewed", "url", "author", "reviewRating", "datePublished"} <= seen.keys()
    # The words of the rating are all there is: no number is invented.
    assert seen["reviewRating"] == {"@type": "Rating", "alternateName": "Жалған"}
