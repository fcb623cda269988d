"""Sentence evidence becomes few spans that cover the text."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.ai_text.segments import LONG_TEXT_WORDS, WINDOW_WORDS, runs, sentence_windows, smooth


@given(st.lists(st.integers(1, 45), min_size=1, max_size=40))
def test_every_window_holds_its_sentence_and_enough_words(words: list[int]) -> None:
    for index, (first, last) in enumerate(sentence_windows(words)):
        assert first <= index < last
        assert sum(words[first:last]) >= min(WINDOW_WORDS, sum(words))


def test_long_texts_share_windows() -> None:
    words = [20] * (LONG_TEXT_WORDS // 10)
    windows = sentence_windows(words)
    assert len(windows) == len(words)
    assert len(set(windows)) <= len(words) / 3 + 1


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=30))
def test_runs_partition_the_text(evidence: list[float]) -> None:
    path = smooth(np.array(evidence))
    spans = runs(path)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(evidence)
    assert all(one[1] == two[0] for one, two in pairwise(spans))
    assert all(path[first:last].all() or not path[first:last].any() for first, last in spans)


def test_a_clear_change_of_author_is_found_and_a_blip_is_not() -> None:
    change = np.array([-3.0] * 6 + [3.0] * 6)
    assert runs(smooth(change)) == [(0, 6), (6, 12)]
    blip = np.array([-2.0] * 6 + [2.5] + [-2.0] * 6)
    assert runs(smooth(blip, change_cost=2.0)) == [(0, 13)]
    assert runs(smooth(blip, change_cost=0.5)) == [(0, 6), (6, 7), (7, 13)]


def test_no_sentences_give_no_spans() -> None:
    assert runs(smooth(np.zeros(0))) == []
