"""The label desk of a home: keys, authority, trust anchors and watermarks from the settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from classifiers.provenance import (
    ProvenanceConfig,
    ProvenanceReader,
    Watermark,
    WatermarkError,
    load_watermarks,
)
from service.errors import ConfigurationError
from service.settings import Settings

if TYPE_CHECKING:
    from service.labels.certificates import Authority
    from service.labels.issuing import LabelDesk
    from service.labels.keys import KeyRing
    from service.store import Store


class LabelOffice:
    """Everything about labels in one home, each part built on first use.

    `added_anchors` gives the certificates (PEM) that are trusted besides those of the settings, at the moment
    when a manifest is read.
    """

    def __init__(self, settings: Settings, added_anchors: Callable[[], str] = str) -> None:
        self.settings = settings
        self._added_anchors = added_anchors

    @cached_property
    def ring(self) -> KeyRing:
        """The signing keys."""
        from service.labels.keys import KeyRing

        return KeyRing(self.settings.home / "keys")

    @cached_property
    def authority(self) -> Authority:
        """The newsroom's certificates."""
        from service.labels.certificates import Authority

        name = self.settings.issuer_name or "Newsroom"
        return Authority(self.settings.home / "keys" / "c2pa", name)

    @cached_property
    def reader(self) -> ProvenanceReader:
        """Reads provenance; trusts our own authority and the configured anchors.

        Raises ConfigurationError.
        """
        configured = ""
        watermarks: tuple[Watermark, ...] = ()
        try:
            if self.settings.c2pa_anchors is not None:
                configured = self.settings.c2pa_anchors.read_text(encoding="ascii")
            if self.settings.watermarks is not None:
                watermarks = load_watermarks(self.settings.watermarks)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"the trust anchors cannot be read: {error}") from error
        except WatermarkError as error:
            raise ConfigurationError(str(error)) from error

        def anchors() -> str:
            # Our own authority is made, and the libraries for it loaded, only once there is a manifest.
            return "\n".join([self.authority.anchor(), configured, self._added_anchors()])

        return ProvenanceReader(ProvenanceConfig(anchors=anchors, watermarks=watermarks))

    def desk(self, store: Store) -> LabelDesk:
        """The desk over an open store."""
        from service.labels.issuing import LabelDesk

        return LabelDesk(
            self.settings,
            store,
            ring=self.ring,
            authority=self.authority,
            reader=self.reader,
        )
