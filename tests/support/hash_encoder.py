"""An encoder for tests that are not about meaning: no model, thousands of texts a second."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class HashEncoder:
    """The same text has the same vector; different ones have nothing in common."""

    model_id = "hash-32"
    dimension = 32
    max_tokens = 512

    def encode(
        self, texts: Sequence[str], *, prompt: str = "", progress: bool = False
    ) -> NDArray[np.float32]:
        """Unit vectors (n, 32)."""
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
        rows = np.array([np.random.default_rng(seed).normal(size=32) for seed in seeds], dtype=np.float32)
        rows = rows.reshape(-1, 32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As many tokens as words."""
        return [len(text.split()) for text in texts]
