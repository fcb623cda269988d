"""The adaptation of the packaged encoder to the nine languages: one linear map over its sentence vectors.

The packaged model keeps the languages in regions of their own, so that a sentence's translation may lie
farther away than another sentence in the same language. The map, trained on parallel sentences
(``classifiers.training.encoder_adaptation``), brings translations together; Turkmen is respelt besides
(:mod:`classifiers.models.turkmen`). Weights and figures: ``weights/MODEL_CARD.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from classifiers.models.prepared import ModelFilesError, sha256_of

WEIGHTS = Path(__file__).with_name("weights") / "adaptation.npz"
# Raise when texts are respelt otherwise or the map is applied otherwise: old vectors no longer fit.
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Adaptation:
    """``vector @ matrix.T + shift``, scaled to unit length. ``adaptation_id`` names these weights."""

    matrix: NDArray[np.float32]
    shift: NDArray[np.float32]
    adaptation_id: str

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors of the packaged model, (n, dimension), as adapted unit vectors of the same shape."""
        moved = vectors @ self.matrix.T + self.shift
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)

    def save(self, path: Path) -> None:
        """Write in half precision; :func:`load_adaptation` reads it."""
        np.savez_compressed(path, matrix=self.matrix.astype(np.float16), shift=self.shift.astype(np.float16))


@cache
def load_adaptation(path: Path = WEIGHTS) -> Adaptation:
    """Read the weights at ``path``, by default those of the package.

    Raises:
        ModelFilesError: the file is missing or damaged.
    """
    try:
        with np.load(path) as stored:
            matrix, shift = stored["matrix"].astype(np.float32), stored["shift"].astype(np.float32)
        return Adaptation(matrix, shift, f"adapted-{_FORMAT}-{sha256_of(path)[:8]}")
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise ModelFilesError(f"the encoder's adaptation {path} cannot be read: {error}") from error
