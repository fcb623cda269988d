"""Is this label ours, is it still good, and is it about this content?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from classifiers.provenance import C2paReading, read_c2pa, read_html
from service.labels.document import URN_PREFIX, LabelDocument
from service.labels.fingerprint import ContentMatch, Fingerprint, compare
from service.labels.issuing import LabelDesk, is_public
from service.labels.keys import KeyStatus
from service.labels.model import HumanReview, Involvement, State, Status
from service.labels.request import Content
from service.labels.signing import SignatureCheck, SignatureState, check_signature
from service.store.labels import StoredLabel

Verdict = Literal["valid", "not_valid", "no_label"]


class C2paCheck(BaseModel):
    """What the C2PA manifest of the content is worth."""

    state: Literal["Trusted", "Valid", "Invalid"]
    codes: list[str]
    signer: str | None


class Verification(BaseModel):
    """The answer. `verdict` is valid only where everything that was supplied holds."""

    verdict: Verdict
    why: str
    label_id: str | None = None
    signature: SignatureState | Literal["none"] = "none"
    key_status: KeyStatus | None = None
    kid: str | None = None
    content_match: ContentMatch = "not_supplied"
    status: Status | Literal["unknown"] | None = Field(
        None, description="What became of the label; unknown: it is not in this newsroom's records."
    )
    status_reason: str | None = None
    superseded_by: str | None = None
    state: State | None = None
    involvement: Involvement | None = None
    human_review: HumanReview | None = None
    issuer: str | None = None
    issued_at: datetime | None = None
    c2pa: C2paCheck | None = None


def verify(desk: LabelDesk, *, jws: str | None = None, content: Content | None = None) -> Verification:
    """Check a signed label, content that carries or had one, or both against each other.

    Content alone is traced to its label by what it carries (manifest, page markup) and else by its hashes.
    """
    manifest = _manifest(desk, content)
    if jws is None and content is not None:
        jws = _carried(desk, content, manifest) or _recorded(desk, content)
    c2pa = (
        C2paCheck(state=manifest.state, codes=list(manifest.failures), signer=manifest.signer)
        if (manifest)
        else None
    )
    if jws is None:
        why = "There is no label of this newsroom for this content."
        return Verification(verdict="no_label", why=why, c2pa=c2pa)
    checked = check_signature(jws, desk.ring)
    if checked.document is None:
        return Verification(
            verdict="not_valid",
            why=checked.detail or "The signature does not hold.",
            signature=checked.signature,
            key_status=checked.key_status,
            kid=checked.kid,
            c2pa=c2pa,
        )
    return _signed(desk, checked, checked.document, jws, content, c2pa)


def _signed(
    desk: LabelDesk,
    checked: SignatureCheck,
    document: LabelDocument,
    jws: str,
    content: Content | None,
    c2pa: C2paCheck | None,
) -> Verification:
    label_id = document.label_id.removeprefix(URN_PREFIX)
    label = desk.store.labels.get(label_id)
    # The very signature that was recorded: a key that signed something else does not make it this label.
    known = label is not None and label.jws == jws.strip()
    match: ContentMatch = "not_supplied" if content is None else _match(desk, document, content)
    status: Status | Literal["unknown"] = "unknown"
    if known and label is not None:
        status = label.status_at(datetime.now(UTC))
    problem = _problem(checked, status, match, c2pa, label if known else None)
    return Verification(
        verdict="not_valid" if problem else "valid",
        why=problem or "The signature holds, the label is in force" + _WHY[match],
        label_id=label_id,
        signature=checked.signature,
        key_status=checked.key_status,
        kid=checked.kid,
        content_match=match,
        status=status,
        status_reason=label.status_reason if known and label else None,
        superseded_by=label.superseded_by if known and label else None,
        state=document.state,
        involvement=document.involvement,
        human_review=document.human_review,
        issuer=document.issuer.id,
        issued_at=document.issued_at,
        c2pa=c2pa,
    )


_WHY: dict[ContentMatch, str] = {
    "exact": ", and this is the very content.",
    "text_equal": ", and these are the very words.",
    "not_supplied": "; no content was sent to compare.",
    "modified": ".",
}


def _problem(
    checked: SignatureCheck,
    status: str,
    match: ContentMatch,
    c2pa: C2paCheck | None,
    label: StoredLabel | None,
) -> str | None:
    if checked.signature != "valid":
        return checked.detail
    if match == "modified":
        return "The content is not what was labelled."
    if status == "unknown":
        return "The signature holds, but this newsroom has no record of such a label."
    if status != "active":
        reason = label.status_reason if label else None
        return f"The label is {status}" + (f": {reason}." if reason else ".")
    if c2pa is not None and c2pa.state == "Invalid":
        return "The C2PA manifest does not fit the content."
    return None


def _match(desk: LabelDesk, document: LabelDocument, content: Content) -> ContentMatch:
    labelled = Fingerprint(exact=document.subject.hash_exact, text=document.subject.hash_text_v1)
    match = compare(labelled, content.fingerprint)
    if match != "exact":
        label_id = document.label_id.removeprefix(URN_PREFIX)
        # A page or file that we labelled ourselves has other bytes than the one that was sent in.
        if desk.store.labels.manifest(label_id, content.fingerprint.exact) is not None:
            return "exact"
    return match


def _manifest(desk: LabelDesk, content: Content | None) -> C2paReading | None:
    """The manifest of the content: sent along, within it, or kept here for these very bytes."""
    if content is None:
        return None
    anchors = desk.reader.config.anchors
    found = read_c2pa(content.raw, content.media_type, manifest=content.manifest, anchors=anchors)
    if found is not None:
        return found
    for label in desk.store.labels.by_content(exact=content.fingerprint.exact, text=content.fingerprint.text):
        kept = desk.store.labels.manifest(label.id, content.fingerprint.exact)
        if kept is not None:
            return read_c2pa(content.raw, content.media_type, manifest=kept.manifest, anchors=anchors)
    return None


def _carried(desk: LabelDesk, content: Content, manifest: C2paReading | None) -> str | None:
    """The signed label that the content itself names."""
    carried: Any = (manifest.label or {}).get("jws") if manifest is not None else None
    if isinstance(carried, str):
        return carried
    if content.page is not None:
        for label_id in read_html(content.page).label_ids:
            label = desk.store.labels.get(label_id.removeprefix(URN_PREFIX))
            if label is not None and is_public(label):
                return label.jws
    return None


def _recorded(desk: LabelDesk, content: Content) -> str | None:
    """The signed label that was issued for this content: one in force before any other."""
    found = [
        label
        for label in desk.store.labels.by_content(
            exact=content.fingerprint.exact, text=content.fingerprint.text
        )
        if is_public(label)
    ]
    found.sort(key=lambda label: label.status != "active")
    return found[0].jws if found else None
