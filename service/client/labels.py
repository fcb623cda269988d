"""Labels in every form, and checking them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

from pydantic import TypeAdapter

from service.api.labels import LabelledPage, LabelPage, LabelView, ProposedLabel
from service.client.calls import Calls, path
from service.client.fields import LabelFields, VerifyFields
from service.labels.history import LabelEvent
from service.labels.model import Status
from service.labels.verification import Verification

_HISTORY = TypeAdapter(list[LabelEvent])
_KEYS = TypeAdapter(dict[str, list[dict[str, Any]]])


class LabelCalls(Calls):
    """What readers see, and what stands behind it."""

    def propose_label(self, **content: Unpack[LabelFields]) -> ProposedLabel:
        """What `issue_label` would come to, and why. Nothing is stored."""
        return self._ask(path("labels", "propose"), content, ProposedLabel)

    def issue_label(self, **content: Unpack[LabelFields]) -> LabelView:
        """Label content; `status` of the answer says whether the label is in force or waits for a person."""
        return self._create(path("labels"), content, LabelView)

    def get_label(self, label_id: str) -> LabelView:
        """One label."""
        return self._get(path("labels", label_id), LabelView)

    def list_labels(self, status: Status | None = None) -> Iterator[LabelView]:
        """All labels, or those of one status, fetched page by page."""
        return self._pages(path("labels"), LabelPage, lambda page: (page.items, page.next), status=status)

    def label_history(self, label_id: str) -> list[LabelEvent]:
        """Everything that happened to a label, oldest first."""
        return _HISTORY.validate_json(self._send("GET", path("labels", label_id, "history")))

    def embed_label(self, label_id: str, html: str) -> LabelledPage:
        """The page with the label in it, to be published byte for byte."""
        return self._ask(path("labels", label_id, "embed"), {"html": html}, LabelledPage)

    def revoke_label(self, label_id: str, reason: str, *, by: str | None = None) -> LabelView:
        """Withdraw a label for good; `by` is the person, else the key's name."""
        why = {"reason": reason} if by is None else {"reason": reason, "by": by}
        return self._create(path("labels", label_id, "revoke"), why, LabelView)

    def signed_label(self, label_id: str) -> str:
        """The signed label, as a compact JWS."""
        return self._send("GET", f"{path('labels', label_id)}.jws").decode()

    def label_manifest(self, label_id: str) -> bytes:
        """The C2PA manifest to lie beside the content."""
        return self._send("GET", f"{path('labels', label_id)}.c2pa")

    def label_badge(self, label_id: str, language: str | None = None) -> str:
        """The one line of a label in force, as SVG."""
        return self._send("GET", path("labels", label_id, "badge.svg"), params={"lang": language}).decode()

    def label_qr(self, label_id: str) -> str:
        """A QR code that opens the reader page, as SVG."""
        return self._send("GET", path("labels", label_id, "qr.svg")).decode()

    def verify(self, **given: Unpack[VerifyFields]) -> Verification:
        """Check a label (`jws`), content, or both against each other."""
        return self._ask("/v1/verify", given, Verification)

    def signing_keys(self) -> list[dict[str, Any]]:
        """The newsroom's public keys as JWK, retired and revoked ones too."""
        return _KEYS.validate_json(self._send("GET", "/.well-known/jwks.json"))["keys"]
