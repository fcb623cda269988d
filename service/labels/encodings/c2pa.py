"""The label as a C2PA manifest: beside a text or page (sidecar), or inside a picture or PDF."""

from __future__ import annotations

import io
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from classifiers.provenance.c2pa_manifest import DISCLOSURE_ASSERTION, EMBEDDABLE, LABEL_ASSERTION
from classifiers.provenance.vocabularies import SOURCE_TYPES
from service.errors import TamgaError
from service.labels.certificates import Authority, private_key
from service.labels.document import LabelDocument
from service.labels.encodings.marks import Marks
from service.labels.keys import KeyRing

_HUMAN: Final = SOURCE_TYPES["digitalCreation"].uri


class ManifestError(TamgaError):
    """The C2PA library could not make a manifest."""

    slug = "c2pa-manifest"
    title = "The C2PA manifest could not be made"


def sidecar(
    content: bytes,
    media_type: str,
    *,
    document: LabelDocument,
    jws: str,
    marks: Marks,
    ring: KeyRing,
    authority: Authority,
) -> bytes:
    """A manifest that binds the label to these very bytes, to be kept beside them. Raises ManifestError."""
    return _sign(content, media_type, _claims(document, jws, marks), ring, authority, embed=False)[1]


def embedded(
    content: bytes,
    media_type: str,
    *,
    document: LabelDocument,
    jws: str,
    marks: Marks,
    ring: KeyRing,
    authority: Authority,
) -> bytes:
    """The file (JPEG, PNG, WebP, PDF) with the manifest inside. Raises ManifestError."""
    if media_type not in EMBEDDABLE:
        raise ManifestError(f"A manifest cannot be put into {media_type}.")
    return _sign(content, media_type, _claims(document, jws, marks), ring, authority, embed=True)[0]


def _claims(document: LabelDocument, jws: str, marks: Marks) -> dict[str, Any]:
    assertions: list[dict[str, Any]] = [
        {"label": "c2pa.actions.v2", "data": {"actions": _actions(marks)}},
        {"label": LABEL_ASSERTION, "data": {"label_id": marks.label_id, "jws": jws}},
    ]
    if marks.involvement != "none":
        disclosed: dict[str, Any] = {"modelType": "c2pa.types.model"}
        if document.ai_system is not None:
            disclosed["modelName"] = document.ai_system.name
        if marks.oversight is not None:
            disclosed["contentProfile"] = {"humanOversightLevel": marks.oversight}
        assertions.append({"label": DISCLOSURE_ASSERTION, "data": disclosed})
    return {
        "claim_generator_info": [{"name": "Tamga", "version": _version()}],
        "title": document.subject.title or marks.label_id,
        "assertions": assertions,
    }


def _actions(marks: Marks) -> list[dict[str, Any]]:
    source = marks.source_type.uri
    if marks.involvement != "assisted":
        return [{"action": "c2pa.created", "digitalSourceType": source}]
    # A person's work, which a model then changed. `c2pa.translated` would need the language it was in before.
    return [
        {"action": "c2pa.created", "digitalSourceType": _HUMAN},
        {"action": "c2pa.edited", "digitalSourceType": source},
    ]


def _sign(
    content: bytes,
    media_type: str,
    claims: dict[str, Any],
    ring: KeyRing,
    authority: Authority,
    *,
    embed: bool,
) -> tuple[bytes, bytes]:
    import c2pa  # type: ignore[import-untyped]

    key = ring.active()
    private = private_key(key)
    target = io.BytesIO()
    try:
        with (
            c2pa.Signer.from_callback(
                private.sign, c2pa.C2paSigningAlg.ED25519, authority.chain(key), None
            ) as signer,
            c2pa.Builder(claims) as builder,
        ):
            if not embed:
                builder.set_no_embed()
            manifest = builder.sign(signer, media_type, io.BytesIO(content), target)
    except c2pa.C2paError as error:
        raise ManifestError(str(error)) from error
    return target.getvalue(), bytes(manifest)


def _version() -> str:
    try:
        return version("tamga-newsroom")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0"
