"""What the service goes by and an administrator may change while it runs: the share of human texts that may
be flagged, the countries whose rules labels are weighed against, and whose C2PA signatures are trusted.

The database holds what was changed; all else is as the environment says. It is read anew wherever it counts,
so that a change holds at once, in every process over the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypedDict

from service.errors import ConfigurationError, InvalidInput, NotFound
from service.settings import Settings

if TYPE_CHECKING:
    from service.labels.anchors import Anchor
    from service.store import Store

# What the detector is calibrated and measured for; see "Selectable rates" in docs/ai_text-figures.md.
RATES: Final = (0.001, 0.01, 0.05)


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds now. `changed` names what was changed here; the rest is as the environment says."""

    version: int
    target_fpr: float
    countries: tuple[str, ...]
    changed: frozenset[str]
    changed_by: str | None
    changed_at: datetime | None


class PolicyChanges(TypedDict, total=False):
    """What is to change; None leaves it to the environment again."""

    target_fpr: float | None
    countries: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class TrustedAnchor:
    """A trusted certificate. `added_at` is None for one of the file that TAMGA_C2PA_ANCHORS names."""

    anchor: Anchor
    added_by: str | None = None
    added_at: datetime | None = None


class PolicyDesk:
    """The policy of one home. Safe to use from threads."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def current(self) -> Policy:
        """What holds now."""
        stored = self._store.policy.get()
        own = {"target_fpr": stored.target_fpr, "countries": stored.countries}
        rate, countries = stored.target_fpr, stored.countries
        return Policy(
            version=stored.version,
            target_fpr=self._settings.target_fpr if rate is None else rate,
            countries=self._settings.own_countries if countries is None else tuple(countries),
            changed=frozenset(name for name, value in own.items() if value is not None),
            changed_by=stored.changed_by,
            changed_at=stored.changed_at,
        )

    def target_fpr(self) -> float:
        """The share of human texts that may be flagged now."""
        return self.current().target_fpr

    def update(self, changes: PolicyChanges, version: int | None = None) -> Policy:
        """Change what is named.

        Raises:
            InvalidInput: a rate that nothing was measured for, or a country without rules.
            PreconditionFailed: `version` is given and another change came before.
        """
        from service.labels.obligations import jurisdictions

        values: dict[str, Any] = dict(changes)
        rate = changes.get("target_fpr")
        if rate is not None and rate not in RATES:
            offered = ", ".join(f"{item:g}" for item in RATES)
            raise InvalidInput(f"The detector is measured for {offered}.", pointer="#/target_fpr")
        countries = changes.get("countries")
        if countries is not None:
            known = jurisdictions()
            unknown = sorted(set(countries) - set(known))
            if unknown:
                raise InvalidInput(f"There are rules for {', '.join(known)}.", pointer="#/countries")
            values["countries"] = [code for code in known if code in countries]
        if values:
            self._store.policy.update(values, version)
        return self.current()

    def anchors(self) -> list[TrustedAnchor]:
        """All certificates that are trusted besides the newsroom's own: those of the file, then those added.

        Raises ConfigurationError where the file cannot be read.
        """
        from service.labels.anchors import read_anchors

        listed = [TrustedAnchor(anchor) for anchor in read_anchors(text)] if (text := self._file()) else []
        for stored in self._store.policy.anchors():
            (anchor,) = read_anchors(stored.pem)
            listed.append(TrustedAnchor(anchor, stored.added_by, stored.added_at))
        return listed

    def added_anchors(self) -> str:
        """Those that were added here as one PEM text."""
        return "".join(stored.pem for stored in self._store.policy.anchors())

    def trust(self, pem: str) -> list[Anchor]:
        """Trust the certificates of a PEM text. Raises InvalidInput, see `service.labels.anchors`."""
        from service.labels.anchors import read_new_anchors

        anchors = read_new_anchors(pem, datetime.now(UTC))
        self._store.policy.add_anchors(
            {anchor.fingerprint: (anchor.pem, anchor.subject) for anchor in anchors}
        )
        return anchors

    def distrust(self, fingerprint: str) -> None:
        """Trust a certificate that was added no more. Raises NotFound."""
        if not self._store.policy.remove_anchor(fingerprint):
            raise NotFound("No certificate with this fingerprint was added.")

    def _file(self) -> str:
        path = self._settings.c2pa_anchors
        if path is None:
            return ""
        try:
            return path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"the trust anchors cannot be read: {error}") from error
