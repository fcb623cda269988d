"""IPTC fields about AI in the XMP packet of a file (JPEG, PNG, WebP, PDF, or a bare packet).

The packet is found by its tags in the bytes, as XMP provides for: no library for every container is needed.
Packets that their container compresses are not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lxml import etree  # type: ignore[import-untyped]

from classifiers.provenance.signal import ProvenanceSignal
from classifiers.provenance.vocabularies import read_source_type

NAMESPACE: Final = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_START: Final = b"<x:xmpmeta"
_END: Final = b"</x:xmpmeta>"
_MAX_PACKETS: Final = 4
_MAX_BYTES: Final = 1_000_000
_FIELDS: Final = {
    "AISystemUsed": "system",
    "AISystemVersionUsed": "system_version",
    "AIPromptInformation": "prompt",
    "AIPromptWriterName": "prompt_writer",
}


def read_xmp(content: bytes) -> list[ProvenanceSignal]:
    """A signal for every packet that says something about AI."""
    return [signal for packet in _packets(content) if (signal := _read_packet(packet)) is not None]


def _packets(content: bytes) -> Iterator[bytes]:
    place = 0
    for _ in range(_MAX_PACKETS):
        start = content.find(_START, place)
        end = content.find(_END, start)
        if start < 0 or end < 0:
            return
        place = end + len(_END)
        if place - start <= _MAX_BYTES:
            yield content[start:place]


def _read_packet(packet: bytes) -> ProvenanceSignal | None:
    # A packet comes from strangers: no entities, no network, no huge trees.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(packet, parser)
    except etree.XMLSyntaxError:
        return None
    detail: dict[str, Any] = {}
    for name, shown in _FIELDS.items():
        value = _value(root, name)
        if value:
            detail[shown] = value[:500]
    source = _value(root, "DigitalSourceType")
    if source is None and not detail:
        return None
    term = read_source_type(source) if source else None
    if source:
        detail["digital_source_type"] = source[:500]
    claim = term.claim if term else None
    # A named AI system says that AI took part, whatever else is missing.
    outcome = claim.outcome if claim else "ai" if "system" in detail else "inconclusive"
    return ProvenanceSignal(
        type="xmp",
        outcome=outcome,
        standing="unsigned",
        tool=f"lxml/{etree.__version__}",
        involvement=claim.involvement if claim else None,
        detail=detail,
    )


def _value(root: Any, name: str) -> str | None:
    """A property of any description in the packet: an attribute, an element, or the first item of a list."""
    qualified = f"{{{NAMESPACE}}}{name}"
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        written = element.get(qualified)
        if written is None and element.tag == qualified:
            written = element.get(f"{{{_RDF}}}resource") or "".join(element.itertext())
        if written is not None and written.strip():
            return str(written).strip()
    return None
