"""Sentence vectors and cross-encoder readings for training, kept on disk for a second run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.models import Encoder, models_home
from classifiers.models.encoder import AdaptedEncoder
from classifiers.models.prepare import SERVING_FORMAT
from classifiers.models.turkmen import respelt
from classifiers.stance.cross_encoder import CrossEncoder, reading_form
from classifiers.stance.evidence import ClaimEvidence

_BATCH = 256


class VectorCache:
    """Vectors of one encoder by text, in one ``.npz`` of half-precision rows under the models folder.

    The file name stands for the encoder's id and the form it is served in, so that neither another model nor
    another rounding meets these vectors. Of an adapted encoder the vectors before the adaptation are kept: a
    new adaptation embeds nothing anew.
    """

    def __init__(self, encoder: Encoder, folder: Path | None = None) -> None:
        self._adapted = encoder if isinstance(encoder, AdaptedEncoder) else None
        self._encoder = encoder = self._adapted.published if self._adapted else encoder
        name = hashlib.sha256(f"{encoder.model_id} {SERVING_FORMAT}".encode()).hexdigest()[:12]
        self._path = (folder or models_home() / "training-vectors") / f"{name}.npz"
        self._rows: dict[str, NDArray[np.float16]] = {}
        if self._path.exists():
            with np.load(self._path) as stored:
                self._rows = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def encode(self, texts: Sequence[str], *, progress: bool = True) -> NDArray[np.float32]:
        """Vectors of ``texts`` with the ``query: `` prompt, shape (texts, dimension), embedding only the new
        ones.
        """
        if self._adapted:
            texts = [respelt(text) for text in texts]
        keys = [_key(text) for text in texts]
        missing = sorted({k: t for k, t in zip(keys, texts, strict=True) if k not in self._rows}.items(),
                         key=lambda item: len(item[1]))  # fmt: skip
        for start in tqdm(range(0, len(missing), _BATCH), desc="embedding", disable=not progress):
            batch = missing[start : start + _BATCH]
            vectors = self._encoder.encode([text for _, text in batch]).astype(np.float16)
            self._rows.update(zip((key for key, _ in batch), vectors, strict=True))
            if start % (8 * _BATCH) == 0:
                self._save()
        if missing:
            self._save()
        if not keys:
            return np.zeros((0, self._encoder.dimension), np.float32)
        stored: NDArray[np.float32] = np.stack([self._rows[k] for k in keys]).astype(np.float32)
        return self._adapted.adaptation.apply(stored) if self._adapted else stored

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(f".{os.getpid()}.partial.npz")
        np.savez(partial, keys=np.array(list(self._rows)), vectors=np.stack(list(self._rows.values())))
        partial.replace(self._path)


class ReadingCache:
    """Logits of one stance cross-encoder by pair of texts, in one ``.npz`` under the models folder."""

    def __init__(self, cross_encoder: CrossEncoder, folder: Path | None = None) -> None:
        self._cross_encoder = cross_encoder
        self._path = (folder or models_home() / "training-vectors") / f"{cross_encoder.serving_id}.npz"
        self._rows: dict[str, NDArray[np.float32]] = {}
        if self._path.exists():
            with np.load(self._path) as stored:
                self._rows = dict(zip(stored["keys"].tolist(), stored["logits"], strict=True))

    def logits(self, pairs: Sequence[ClaimEvidence], *, progress: bool = True) -> NDArray[np.float32]:
        """Shape (pairs, 3), reading only the new pairs."""
        keys = [_key("\0".join(reading_form(pair))) for pair in pairs]
        unread = {k: p for k, p in zip(keys, pairs, strict=True) if k not in self._rows}
        missing = sorted(unread.items(), key=lambda item: len(item[1].claim) + len(item[1].evidence))
        for start in tqdm(range(0, len(missing), _BATCH), desc="reading", disable=not progress):
            batch = missing[start : start + _BATCH]
            logits = self._cross_encoder.logits([pair for _, pair in batch])
            self._rows.update(zip((key for key, _ in batch), logits, strict=True))
        if missing:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial = self._path.with_suffix(f".{os.getpid()}.partial.npz")
            np.savez(partial, keys=np.array(list(self._rows)), logits=np.stack(list(self._rows.values())))
            partial.replace(self._path)
        return np.stack([self._rows[k] for k in keys])


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
