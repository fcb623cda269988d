"""Which documents train, which calibrate, which test: decided by group, for all languages at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:  # the corpus reader asks for the part of a group itself
    from classifiers.training.ai_text.corpus import Document

Part = Literal["train", "calibration", "test"]

#: Shares of the groups. Calibration and test are of one size because they change places in the cross-fit.
_SHARES: Final[tuple[tuple[Part, float], ...]] = (("train", 0.6), ("calibration", 0.2), ("test", 0.2))
_SALT: Final = "tamga-ai-text-1"


def unit_hash(text: str, salt: str = _SALT) -> float:
    """A number in [0, 1) that depends on ``text`` alone: splits survive re-ordering and new documents."""
    digest = hashlib.blake2b(f"{salt}:{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def part_of(group: str) -> Part:
    """The part a group belongs to; the same in every language, so translations never cross."""
    position = unit_hash(group)
    for part, share in _SHARES:
        if position < share:
            return part
        position -= share
    return "test"


def fold_of(group: str, folds: int) -> int:
    """The cross-validation fold of a group, independent of its part."""
    return int(unit_hash(group, salt="tamga-ai-text-fold") * folds)


def select(documents: Sequence[Document], *parts: Part) -> list[Document]:
    """The documents whose group lies in one of ``parts``, in order."""
    return [document for document in documents if part_of(document.group) in parts]
