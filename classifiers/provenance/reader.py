"""Everything that can be read about the provenance of one article or file, as a list of signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from classifiers.provenance.c2pa_manifest import EMBEDDABLE, C2paReading, read_c2pa
from classifiers.provenance.characters import read_characters
from classifiers.provenance.header import HEADER, read_header
from classifiers.provenance.html import PageDisclosures, read_html
from classifiers.provenance.signal import ProvenanceSignal
from classifiers.provenance.watermark import Watermark
from classifiers.provenance.xmp import read_xmp
from classifiers.text import Tampering, canonicalise

FILE_TYPES: Final = EMBEDDABLE
_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)


@dataclass(frozen=True, slots=True)
class ProvenanceConfig:
    """What reading depends on: trusted certificates (PEM, or a function that gives them once a manifest is
    there to be checked) and the newsroom's own watermarks.
    """

    anchors: str | Callable[[], str] = ""
    watermarks: tuple[Watermark, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """All signals, the page's disclosures and the manifest among them."""

    signals: tuple[ProvenanceSignal, ...]
    page: PageDisclosures = field(default_factory=PageDisclosures)
    c2pa: C2paReading | None = None


class ProvenanceReader:
    """Reads texts, pages and files with one configuration. Stateless but for what the libraries load."""

    def __init__(self, config: ProvenanceConfig | None = None) -> None:
        self.config = config or ProvenanceConfig()

    def read_text(
        self, text: str, *, manifest: bytes | None = None, tampering: Tampering | None = None
    ) -> Provenance:
        """Signals of a plain text: a manifest beside or within it, watermarks, hidden characters."""
        c2pa = read_c2pa(text.encode("utf-8"), "text/plain", manifest=manifest, anchors=self.config.anchors)
        signals = [c2pa.as_signal()] if c2pa else []
        return Provenance((*signals, *self._words(text, tampering)), c2pa=c2pa)

    def read_page(
        self,
        page: str,
        text: str,
        *,
        headers: Mapping[str, str] | None = None,
        manifest: bytes | None = None,
        tampering: Tampering | None = None,
    ) -> Provenance:
        """Signals of an HTML page whose article is `text`, and of the headers it was served with."""
        disclosed = read_html(page)
        c2pa = read_c2pa(page.encode("utf-8"), "text/html", manifest=manifest, anchors=self.config.anchors)
        signals = [*([c2pa.as_signal()] if c2pa else []), *disclosed.signals]
        signals.extend(
            read_header(value) for name, value in (headers or {}).items() if name.lower() == HEADER.lower()
        )
        return Provenance((*signals, *self._words(text, tampering)), disclosed, c2pa)

    def read_file(self, content: bytes, media_type: str, *, manifest: bytes | None = None) -> Provenance:
        """Signals of a picture or document: its manifest and its XMP."""
        c2pa = read_c2pa(content, media_type, manifest=manifest, anchors=self.config.anchors)
        return Provenance((*([c2pa.as_signal()] if c2pa else []), *read_xmp(content)), c2pa=c2pa)

    def _words(self, text: str, tampering: Tampering | None) -> list[ProvenanceSignal]:
        marks = [watermark.read(text) for watermark in self.config.watermarks]
        return [*marks, *read_characters(tampering or canonicalise(text).tampering)]


def sniff_media_type(content: bytes) -> str | None:
    """The media type of a file we can read, by its first bytes; None for any other."""
    for start, media_type in _SIGNATURES:
        if content.startswith(start):
            return media_type
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None
