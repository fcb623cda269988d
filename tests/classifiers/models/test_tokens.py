"""One tokenizer for all models, and pairs joined as the tokenizer's library joins them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from classifiers.models import prepare_models
from classifiers.models.prepare import TOKENIZER
from classifiers.models.tokens import join_pair, length_sorted_batches, packaged_tokenizer, pad, truncate

WORDS = ("köprü", "мектеп", "opened", "1973", "the", "Қазақстан", "gyzyl", "város")


@pytest.fixture(scope="module")
def pairing() -> Tokenizer:
    """The library's own joining and cutting of pairs."""
    tokenizer = Tokenizer.from_file(str(prepare_models().serving.path / TOKENIZER))
    tokenizer.enable_truncation(24, strategy="longest_first")
    return tokenizer


@pytest.mark.parametrize("first", [0, 1, 3, 5, 9, 40])
@pytest.mark.parametrize("second", [0, 1, 4, 6, 11, 40])
def test_a_pair_is_what_the_library_makes_of_it(pairing: Tokenizer, first: int, second: int) -> None:
    one = " ".join(WORDS[place % 8] for place in range(first))
    other = " ".join(WORDS[place % 7] for place in range(second))
    alone = packaged_tokenizer().encode_batch_fast([one, other])
    assert join_pair(alone[0].ids, alone[1].ids, 24) == pairing.encode(one, other).ids


def test_there_is_one_tokenizer_in_memory() -> None:
    assert packaged_tokenizer() is packaged_tokenizer()


@given(st.lists(st.integers(1, 600), max_size=60), st.integers(1, 2000))
def test_batches_hold_every_row_once_and_keep_the_budget(lengths: list[int], tokens: int) -> None:
    batches = list(length_sorted_batches(lengths, tokens))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= tokens


def test_padding_is_avoided_where_it_costs_more_than_a_batch() -> None:
    assert list(length_sorted_batches([60, 10, 61, 11, 10, 60], 1024)) == [[1, 4, 3], [0, 5, 2]]
    # One token of padding is cheaper than a batch of one row.
    assert list(length_sorted_batches([10, 11], 1024)) == [[0, 1]]


@given(st.lists(st.lists(st.integers(4, 99), min_size=1, max_size=9), min_size=1, max_size=6))
def test_padding_is_masked(rows: list[list[int]]) -> None:
    ids, mask = pad(rows)
    assert [row[keep].tolist() for row, keep in zip(ids, mask.astype(bool), strict=True)] == rows


@given(st.lists(st.integers(4, 99), min_size=2, max_size=40), st.integers(2, 30))
def test_truncation_keeps_the_closing_token(ids: list[int], limit: int) -> None:
    cut = truncate(ids, limit)
    assert len(cut) == min(len(ids), limit)
    assert cut[-1] == ids[-1]
