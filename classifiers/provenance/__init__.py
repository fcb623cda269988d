"""Provenance: what a text, page or file carries with it about how it was made.

C2PA manifests, IPTC fields in XMP, schema.org and `ai-disclosure` markup, the `AI-Disclosure` header, the
newsroom's own watermarks, hidden characters. Each reader gives signals; what they are worth for a label is
for the service to judge. Nothing is ever fetched, and heavy libraries load on first use.
"""

from classifiers.provenance.c2pa_manifest import LABEL_ASSERTION, C2paReading, read_c2pa
from classifiers.provenance.characters import read_characters
from classifiers.provenance.header import read_header
from classifiers.provenance.html import PageDisclosures, read_html
from classifiers.provenance.reader import (
    FILE_TYPES,
    Provenance,
    ProvenanceConfig,
    ProvenanceReader,
    sniff_media_type,
)
from classifiers.provenance.signal import HumanReview, Involvement, Outcome, ProvenanceSignal
from classifiers.provenance.watermark import Watermark, WatermarkError, load_watermarks
from classifiers.provenance.xmp import read_xmp

__all__ = [
    "FILE_TYPES",
    "LABEL_ASSERTION",
    "C2paReading",
    "HumanReview",
    "Involvement",
    "Outcome",
    "PageDisclosures",
    "Provenance",
    "ProvenanceConfig",
    "ProvenanceReader",
    "ProvenanceSignal",
    "Watermark",
    "WatermarkError",
    "load_watermarks",
    "read_c2pa",
    "read_characters",
    "read_header",
    "read_html",
    "read_xmp",
    "sniff_media_type",
]
