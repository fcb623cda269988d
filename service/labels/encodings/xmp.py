"""An XMP packet with the IPTC fields about AI, for files and for sidecars (`.xmp`)."""

from __future__ import annotations

from typing import Final

from lxml import etree  # type: ignore[import-untyped]

from classifiers.provenance.xmp import NAMESPACE
from service.labels.document import LabelDocument
from service.labels.encodings.marks import Marks

_META: Final = "adobe:ns:meta/"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC: Final = "http://purl.org/dc/elements/1.1/"
_HEAD: Final = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TAIL: Final = b'\n<?xpacket end="w"?>'


def xmp_packet(document: LabelDocument, marks: Marks) -> bytes:
    """The packet, UTF-8, read-only."""
    root = etree.Element(f"{{{_META}}}xmpmeta", nsmap={"x": _META})
    rdf = etree.SubElement(root, f"{{{_RDF}}}RDF", nsmap={"rdf": _RDF})
    described = etree.SubElement(rdf, f"{{{_RDF}}}Description", nsmap={"Iptc4xmpExt": NAMESPACE, "dc": _DC})
    described.set(f"{{{_RDF}}}about", "")
    fields = {f"{{{NAMESPACE}}}DigitalSourceType": marks.source_type.uri}
    system = document.ai_system
    if system is not None and marks.involvement != "none":
        fields[f"{{{NAMESPACE}}}AISystemUsed"] = system.name
        if system.version:
            fields[f"{{{NAMESPACE}}}AISystemVersionUsed"] = system.version
    fields[f"{{{_DC}}}identifier"] = marks.label_id
    for name, value in fields.items():
        etree.SubElement(described, name).text = value
    return _HEAD + bytes(etree.tostring(root, encoding="utf-8", pretty_print=True)) + _TAIL
