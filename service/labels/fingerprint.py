"""Which content a label is about: hashes of it, exact and of the text alone.

`hash_text_v1` survives what changes no word: Unicode normalisation (NFC), invisible characters (Unicode's
default ignorables) and white space.
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Final, Literal

import regex
from pydantic import BaseModel, ConfigDict

PREFIX: Final = "sha-256:"
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")

ContentMatch = Literal["exact", "text_equal", "modified", "not_supplied"]


class Fingerprint(BaseModel):
    """Hashes of one content. `text` is None for content that is no text."""

    model_config = ConfigDict(frozen=True)

    exact: str
    text: str | None


def hash_bytes(content: bytes) -> str:
    """SHA-256, with its name before it."""
    return PREFIX + hashlib.sha256(content).hexdigest()


def hash_text(text: str) -> str:
    """hash_text_v1 of a text."""
    visible = _IGNORABLE.sub("", unicodedata.normalize("NFC", text))
    # Again: an invisible character may have kept a letter and its accent apart.
    collapsed = " ".join(unicodedata.normalize("NFC", visible).split())
    return hash_bytes(collapsed.encode("utf-8"))


def fingerprint_text(text: str) -> Fingerprint:
    """Hashes of a text on its own."""
    return Fingerprint(exact=hash_bytes(text.encode("utf-8")), text=hash_text(text))


def compare(labelled: Fingerprint, found: Fingerprint) -> ContentMatch:
    """How content at hand compares with what was labelled."""
    if found.exact == labelled.exact:
        return "exact"
    if found.text is not None and found.text == labelled.text:
        return "text_equal"
    return "modified"
