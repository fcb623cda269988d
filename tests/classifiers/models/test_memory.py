"""Rows of texts that come again are not computed again, and memory stays bounded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from classifiers.models.encoder import QUERY, RememberingEncoder
from classifiers.models.memory import RowMemory


class Counting:
    """Stands for an encoder: a text's vector is made of its prompt and letters."""

    model_id = "counting"
    dimension = 2
    max_tokens = 9

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(
        self, texts: Sequence[str], *, prompt: str = QUERY, progress: bool = False
    ) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([[len(prompt), sum(map(ord, text))] for text in texts], np.float32).reshape(-1, 2)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]


def test_a_text_is_computed_once() -> None:
    encoder = Counting()
    remembering = RememberingEncoder(encoder, 10)
    first = remembering.encode(["a", "b", "a"])
    again = remembering.encode(["b", "c", "a"])
    assert encoder.asked == ["a", "b", "c"]
    assert first[:, 1].tolist() == [97, 98, 97]
    assert again[:, 1].tolist() == [98, 99, 97]


def test_another_prompt_is_another_vector() -> None:
    remembering = RememberingEncoder(Counting(), 10)
    assert remembering.encode(["a"], prompt="x")[0, 0] == 1
    assert remembering.encode(["a"], prompt="xy")[0, 0] == 2


def test_what_a_caller_does_with_vectors_changes_no_memory() -> None:
    remembering = RememberingEncoder(Counting(), 10)
    remembering.encode(["a"])[:] = 0
    assert remembering.encode(["a"])[0, 1] == 97


def test_no_texts_give_no_vectors() -> None:
    assert RememberingEncoder(Counting(), 10).encode([]).shape == (0, 2)


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), max_size=12), st.integers(0, 5))
def test_rows_are_right_whatever_was_forgotten(calls: list[list[str]], limit: int) -> None:
    memory = RowMemory(limit)
    for texts in calls:

        def compute(new: list[int], texts: list[str] = texts) -> NDArray[np.float32]:
            assert len({texts[row] for row in new}) == len(new)
            return np.array([[ord(texts[row])] for row in new], np.float32)

        assert [int(row[0]) for row in memory.rows(texts, compute)] == [ord(text) for text in texts]
        assert len(memory) <= limit
