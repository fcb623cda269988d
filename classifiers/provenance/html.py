"""What a page says about itself: `ai-disclosure` meta elements and attributes, schema.org in JSON-LD and
microdata, the C2PA manifest it names or holds, and the labels it carries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree, html  # type: ignore[import-untyped]

from classifiers.provenance.signal import ProvenanceSignal
from classifiers.provenance.vocabularies import Claim, read_disclosure, read_source_type

LABEL_PROPERTY: Final = "ai-label"
LABEL_ATTRIBUTE: Final = "data-ai-label"
MANIFEST_RELATION: Final = "c2pa-manifest"
MANIFEST_TYPE: Final = "application/c2pa"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ATTRIBUTES: Final = ("ai-disclosure", "data-ai-disclosure")
# Elements whose disclosure speaks for the whole page; on any other element it speaks for a part.
_WHOLE: Final = frozenset({"html", "body", "main", "article"})
# A picture in an article has a source of its own.
_MEDIA: Final = frozenset({"ImageObject", "VideoObject", "AudioObject", "MediaObject", "3DModel"})
_MAX_DEPTH: Final = 20
_MAX_NODES: Final = 2_000


@dataclass(frozen=True, slots=True)
class PageDisclosures:
    """Everything found on a page. `inline_manifest` is the base64 text of a manifest within the page."""

    signals: tuple[ProvenanceSignal, ...] = ()
    manifest_links: tuple[str, ...] = ()
    inline_manifest: str | None = None
    label_ids: tuple[str, ...] = ()


@dataclass(slots=True)
class _Linked:
    """schema.org statements: source types of the work and of its media, credits, labels."""

    works: list[str] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    credits: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


def read_html(page: str) -> PageDisclosures:
    """Read a page, well-formed or not; what cannot be read is as if it were not there."""
    try:
        root = html.document_fromstring(_NOT_XML.sub("", page))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return PageDisclosures()
    linked = _jsonld(root)
    marked_up = _microdata(root)
    signals = [
        *_meta(root),
        *_attributes(root),
        *_schema_org("jsonld", linked),
        *_schema_org("microdata", marked_up),
    ]
    labels = [*linked.labels, *(str(value) for value in root.xpath(f"//@{LABEL_ATTRIBUTE}"))]
    links = [
        str(element.get("href"))
        for element in root.iter("link")
        if MANIFEST_RELATION in (element.get("rel") or "").lower().split() and element.get("href")
    ]
    inline = [
        element.text_content()
        for element in root.iter("script")
        if (element.get("type") or "").lower() == MANIFEST_TYPE
    ]
    return PageDisclosures(
        signals=tuple(signals),
        manifest_links=tuple(links),
        inline_manifest=inline[0].strip() if inline else None,
        label_ids=tuple(dict.fromkeys(label[:200] for label in labels if label)),
    )


def _tool() -> str:
    return f"lxml/{etree.__version__}"


def _signal(signal_type: Any, claim: Claim | None, detail: dict[str, Any]) -> ProvenanceSignal:
    return ProvenanceSignal(
        type=signal_type,
        outcome=claim.outcome if claim else "inconclusive",
        standing="unsigned",
        tool=_tool(),
        involvement=claim.involvement if claim else None,
        human_review=claim.human_review if claim else None,
        detail=detail,
    )


def _meta(root: Any) -> Iterator[ProvenanceSignal]:
    found = {
        (element.get("name") or "").strip().lower(): (element.get("content") or "").strip()[:500]
        # Reversed, so that the first of each name wins, as the draft has it.
        for element in reversed(list(root.iter("meta")))
    }
    value = found.get("ai-disclosure")
    if value is None:
        return
    more = {name: found[name] for name in ("ai-model", "ai-provider", "ai-prompt-url") if found.get(name)}
    yield _signal("html_meta", read_disclosure(value), {"ai-disclosure": value, **more})


def _attributes(root: Any) -> Iterator[ProvenanceSignal]:
    whole: list[str] = []
    parts: list[str] = []
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        value = next((element.get(name) for name in _ATTRIBUTES if element.get(name)), None)
        if value is not None:
            (whole if element.tag in _WHOLE else parts).append(value.strip()[:100])
    if not whole and not parts:
        return
    claims = [read_disclosure(value) for value in whole or parts]
    outcomes = {claim.outcome for claim in claims if claim}
    if not whole or (outcomes == {"ai", "human"}):
        # Parts that differ, or parts with AI in a page that says nothing of the rest.
        claim = Claim("ai", "mixed") if "ai" in outcomes else Claim("inconclusive")
    else:
        claim = next((claim for claim in claims if claim), Claim("inconclusive"))
    yield _signal("html_attribute", claim, {"whole": whole[:10], "parts": parts[:50]})


def _schema_org(signal_type: Any, linked: _Linked) -> Iterator[ProvenanceSignal]:
    terms = [read_source_type(value) for value in linked.works]
    if not linked.works:
        return
    claim = next((term.claim for term in terms if term), None)
    detail: dict[str, Any] = {"digitalSourceType": linked.works[:10]}
    if linked.media:
        detail["media"] = linked.media[:20]
    if linked.credits:
        detail["creditText"] = linked.credits[0]
    yield _signal(signal_type, claim, detail)


def _jsonld(root: Any) -> _Linked:
    linked = _Linked()
    for element in root.iter("script"):
        if (element.get("type") or "").partition(";")[0].strip().lower() != "application/ld+json":
            continue
        try:
            value = json.loads(element.text_content())
        except (ValueError, RecursionError):
            continue
        _walk(value, linked, in_media=False, depth=0, budget=[_MAX_NODES])
    return linked


def _walk(value: Any, linked: _Linked, *, in_media: bool, depth: int, budget: list[int]) -> None:
    budget[0] -= 1
    if depth > _MAX_DEPTH or budget[0] < 0:
        return
    if isinstance(value, list):
        for item in value:
            _walk(item, linked, in_media=in_media, depth=depth + 1, budget=budget)
    elif isinstance(value, dict):
        types = {str(name).rpartition("/")[2] for name in _listed(value.get("@type"))}
        in_media = in_media or bool(types & _MEDIA)
        for source in _listed(value.get("digitalSourceType")):
            name = source.get("@id") if isinstance(source, dict) else source
            if isinstance(name, str):
                (linked.media if in_media else linked.works).append(name[:500])
        credit = value.get("creditText")
        if isinstance(credit, str) and not in_media:
            linked.credits.append(credit[:500])
        if value.get("propertyID") == LABEL_PROPERTY and isinstance(value.get("value"), str):
            linked.labels.append(value["value"])
        for item in value.values():
            if isinstance(item, list | dict):
                _walk(item, linked, in_media=in_media, depth=depth + 1, budget=budget)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _microdata(root: Any) -> _Linked:
    linked = _Linked()
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        names = (element.get("itemprop") or "").split()
        value = next((element.get(name) for name in ("content", "href", "src") if element.get(name)), None)
        value = (value or element.text_content()).strip()[:500] if names else ""
        if "digitalSourceType" in names and value:
            (linked.media if _item_type(element) & _MEDIA else linked.works).append(value)
        if "creditText" in names and value and not _item_type(element) & _MEDIA:
            linked.credits.append(value)
    return linked


def _item_type(element: Any) -> set[str]:
    """schema.org types of the item that a property belongs to."""
    for ancestor in element.iterancestors():
        if ancestor.get("itemscope") is not None:
            return {name.rpartition("/")[2] for name in (ancestor.get("itemtype") or "").split()}
    return set()
