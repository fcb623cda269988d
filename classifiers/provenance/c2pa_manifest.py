"""C2PA manifests: in a file, beside it, within a page, or wrapped into the text itself. Done by c2pa-python.

Trust anchors come from the caller; nothing is ever fetched. The library loads on first use.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final, Literal

from classifiers.provenance.signal import HumanReview, Involvement, Outcome, ProvenanceSignal, Standing
from classifiers.provenance.vocabularies import Claim, read_source_type

ValidationState = Literal["Trusted", "Valid", "Invalid"]
# Trusted certificates (PEM), or a function that gives them.
Anchors = str | Callable[[], str]
LABEL_ASSERTION: Final = "org.tamga.ai-label"
DISCLOSURE_ASSERTION: Final = "c2pa.ai-disclosure"

_STANDINGS: Final[dict[str, Standing]] = {"Trusted": "trusted", "Valid": "untrusted", "Invalid": "invalid"}
_OVERSIGHT: Final[dict[str, HumanReview]] = {
    "human_validated": "reviewed",
    "prompt_guided": "none",
    "fully_autonomous": "none",
}
_EXTENT: Final[dict[str | None, int]] = {None: 1, "assisted": 1, "mixed": 2, "generated": 3}
_MAX_DEPTH: Final = 10
# Containers that the library reads a manifest out of by itself.
EMBEDDABLE: Final = frozenset({"image/jpeg", "image/png", "image/webp", "application/pdf"})
_WRAPPER_START: Final = "\ufeff\U000e0133"  # The mark and the first letter of "C2PATXT".


@dataclass(frozen=True, slots=True)
class C2paReading:
    """A manifest and what it is worth. `label` is the label assertion of a Tamga manifest."""

    state: ValidationState
    failures: tuple[str, ...]
    signer: str | None
    claim: Claim
    detail: dict[str, Any] = field(default_factory=dict)
    label: dict[str, Any] | None = None

    def as_signal(self) -> ProvenanceSignal:
        """The reading as evidence; an invalid manifest says nothing about the content."""
        sound = self.state != "Invalid"
        return ProvenanceSignal(
            type="c2pa",
            outcome=self.claim.outcome if sound else "inconclusive",
            standing=_STANDINGS[self.state],
            tool=tool_version(),
            involvement=self.claim.involvement if sound else None,
            human_review=self.claim.human_review if sound else None,
            detail={
                "validation": self.state,
                "failures": list(self.failures),
                "signer": self.signer,
                **self.detail,
            },
        )


def tool_version() -> str:
    """Name and version of the library."""
    return f"c2pa-python/{version('c2pa-python')}"


def read_c2pa(
    content: bytes, media_type: str, *, manifest: bytes | None = None, anchors: Anchors = ""
) -> C2paReading | None:
    """Read and check the manifest of `content`; None where it has none.

    `manifest` is a sidecar; without one it is looked for in the file, page or text. `anchors` are trusted
    certificates (PEM, any number); a function is asked only where there is a manifest.
    """
    if manifest is not None:
        return _check(content, media_type, manifest, anchors)
    if media_type in EMBEDDABLE:
        return _check(content, media_type, None, anchors)
    if media_type == "text/html":
        return _inline(content, anchors)
    if media_type.startswith("text/"):
        return _wrapped(content, media_type, anchors)
    return None


def _inline(content: bytes, anchors: Anchors) -> C2paReading | None:
    """A manifest in `<script type="application/c2pa">` (C2PA 2.4, A.7)."""
    if b"application/c2pa" not in content:
        return None
    from c2pa_text import HtmlError, extract_html  # type: ignore[import-untyped]

    try:
        found = extract_html(content.decode("utf-8", "replace"))
    except HtmlError as error:
        return _unreadable(str(error))
    if found is None or found.manifest is None:
        return None
    return _check(content, "text/html", found.manifest, anchors)


def _wrapped(content: bytes, media_type: str, anchors: Anchors) -> C2paReading | None:
    """A manifest in variation selectors at the text's end (C2PA 2.4, A.8)."""
    text = content.decode("utf-8", "replace")
    if _WRAPPER_START not in text:
        return None
    from c2pa_text import extract_manifest

    try:
        manifest, clean = extract_manifest(text)
    except ValueError as error:
        return _unreadable(str(error))
    if manifest is None:
        return None
    # By the specification the hash covers the whole text but for the wrapper; some signers hash the text
    # before it was wrapped. Either way it is the visible text that is bound.
    whole = _check(content, media_type, manifest, anchors)
    if whole is not None and "assertion.dataHash.mismatch" in whole.failures:
        return _check(clean.encode("utf-8"), media_type, manifest, anchors)
    return whole


@lru_cache(maxsize=4)
def _context(anchors: str) -> Any:
    import c2pa  # type: ignore[import-untyped]

    settings: dict[str, Any] = {
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}
    }
    if anchors:
        settings["trust"] = {"trust_anchors": anchors}
    return c2pa.Context(c2pa.Settings.from_dict(settings))


def _check(content: bytes, media_type: str, manifest: bytes | None, anchors: Anchors) -> C2paReading | None:
    import c2pa

    context = _context(anchors() if callable(anchors) else anchors)
    try:
        if manifest is None:
            reader = c2pa.Reader.try_create(media_type, io.BytesIO(content), context=context)
            if reader is None:
                return None
        else:
            reader = c2pa.Reader(media_type, io.BytesIO(content), manifest, context=context)
        with reader:
            store = json.loads(reader.json())
            state = str(reader.get_validation_state())
    except c2pa.C2paError as error:
        return _unreadable(str(error))
    return _reading(store, state)


def _unreadable(problem: str) -> C2paReading:
    return C2paReading("Invalid", (problem[:200],), None, Claim("inconclusive"))


def _reading(store: dict[str, Any], state: str) -> C2paReading:
    active = store.get("active_manifest")
    manifests: dict[str, Any] = store.get("manifests", {})
    manifest = manifests.get(str(active), {})
    failures = [
        str(item.get("code"))
        for item in store.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    ]
    signed = manifest.get("signature_info", {})
    signer = ", ".join(str(signed[name]) for name in ("common_name", "issuer") if signed.get(name)) or None
    outcome, involvement = _involvement(manifests, active, 0)
    generator = (manifest.get("claim_generator_info") or [{}])[0].get("name")
    actions = [str(action.get("action")) for action in _actions(manifest)]
    return C2paReading(
        state="Trusted" if state == "Trusted" else "Valid" if state == "Valid" else "Invalid",
        failures=tuple(dict.fromkeys(failures)),
        signer=signer,
        claim=Claim(outcome, involvement, _oversight(manifest)),
        detail={"generator": generator, "actions": actions[:20], "manifest": active},
        label=_assertion(manifest, LABEL_ASSERTION),
    )


def _assertions(manifest: dict[str, Any], name: str) -> list[Any]:
    return [
        item.get("data")
        for item in manifest.get("assertions", [])
        if str(item.get("label", "")).partition("__")[0] == name
    ]


def _assertion(manifest: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((data for data in _assertions(manifest, name) if isinstance(data, dict)), None)


def _actions(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in ("c2pa.actions.v2", "c2pa.actions"):
        for data in _assertions(manifest, name):
            if isinstance(data, dict):
                found.extend(action for action in data.get("actions", []) if isinstance(action, dict))
    return found


def _oversight(manifest: dict[str, Any]) -> HumanReview | None:
    disclosed = _assertion(manifest, DISCLOSURE_ASSERTION) or {}
    profile = disclosed.get("contentProfile")
    level = profile.get("humanOversightLevel") if isinstance(profile, dict) else None
    return _OVERSIGHT.get(str(level))


def _involvement(manifests: dict[str, Any], name: Any, depth: int) -> tuple[Outcome, Involvement | None]:
    """What the actions of a manifest, and those of what it was made from, say together."""
    manifest = manifests.get(name)
    if not isinstance(manifest, dict) or depth > _MAX_DEPTH:
        return "inconclusive", None
    created: Claim | None = None
    later: list[Claim] = []
    for action in _actions(manifest):
        source = action.get("digitalSourceType")
        term = read_source_type(source) if isinstance(source, str) else None
        if action.get("action") == "c2pa.created":
            created = term.claim if term else created
        elif term is not None:
            later.append(term.claim)
    for ingredient in manifest.get("ingredients", []):
        outcome, involvement = _involvement(manifests, ingredient.get("active_manifest"), depth + 1)
        if ingredient.get("relationship") == "parentOf" and created is None:
            created = Claim(outcome, involvement)
        elif outcome == "ai":
            later.append(Claim("ai", "mixed"))
    said = [claim for claim in (created, *later) if claim is not None]
    with_ai = [claim for claim in said if claim.outcome == "ai"]
    if with_ai:
        if created is not None and created.outcome == "human":
            # A person's work that a model changed: whatever the model's part, not generated as a whole.
            changed = {claim.involvement for claim in with_ai}
            return "ai", "mixed" if "mixed" in changed else "assisted"
        return "ai", max((claim.involvement for claim in with_ai), key=lambda value: _EXTENT.get(value, 0))
    if _assertion(manifest, DISCLOSURE_ASSERTION):
        return "ai", None
    return ("human", "none") if created is not None and created.outcome == "human" else ("inconclusive", None)
