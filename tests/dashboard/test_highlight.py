"""Runs of highlighted text: nothing is lost, nothing is marked that should not be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.dashboard.highlight import Mark, highlighted, occurrences

# Letters of several scripts, astral characters, bidi and zero-width controls, markup.
CHARACTERS = st.sampled_from(
    [*list("aбğءא😀𐰴 \n<&\"'"), "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\x07"]
)
TEXTS = st.text(st.one_of(CHARACTERS, st.characters(codec="utf-8")), max_size=60)
KINDS = st.sampled_from(["machine", "supports", "contradicts"])
MARKS = st.lists(
    st.builds(
        Mark, st.integers(-5, 70), st.integers(-5, 70), KINDS, st.none() | st.sampled_from(["c1", "c2", "c3"])
    ),
    max_size=8,
)


@given(TEXTS, MARKS)
def test_runs_joined_are_the_text(text: str, marks: list[Mark]) -> None:
    runs = highlighted(text, marks)
    assert "".join(run.text for run in runs) == text
    assert all(run.text for run in runs)


@given(TEXTS, MARKS)
def test_every_character_has_exactly_the_marks_that_cover_it(text: str, marks: list[Mark]) -> None:
    place = 0
    for run in highlighted(text, marks):
        for offset in range(place, place + len(run.text)):
            covering = [mark for mark in marks if mark.start <= offset < mark.end]
            assert set(run.kinds) == {mark.kind for mark in covering}
            assert (run.target is None) == (not any(mark.target for mark in covering))
            assert run.target in {None, *(mark.target for mark in covering)}
        place += len(run.text)


@given(TEXTS, MARKS)
def test_every_mark_in_the_text_opens_once(text: str, marks: list[Mark]) -> None:
    opened = [target for run in highlighted(text, marks) for target in run.opens]
    begun = [mark.target for mark in marks if mark.target and max(0, mark.start) < min(len(text), mark.end)]
    assert sorted(opened) == sorted(begun)


@given(TEXTS, MARKS)
def test_hidden_characters_stand_alone(text: str, marks: list[Mark]) -> None:
    for run in highlighted(text, marks):
        if run.hidden is None:
            assert not set(run.text) & {"\u202e", "\u2066", "\u200b", "\ufeff", "\x07"}
        else:
            assert run.hidden == f"U+{ord(run.text):04X}"


def test_offsets_count_code_points_beyond_the_basic_plane() -> None:
    runs = highlighted("😀𐰴 claim 😀", [Mark(3, 8, "supports", "claim-1")])
    assert [(run.text, run.target) for run in runs] == [("😀𐰴 ", None), ("claim", "claim-1"), (" 😀", None)]


def test_of_overlapping_marks_the_shorter_is_linked() -> None:
    runs = highlighted("abcdef", [Mark(0, 6, "supports", "long"), Mark(2, 4, "contradicts", "short")])
    assert [(run.text, run.target) for run in runs] == [("ab", "long"), ("cd", "short"), ("ef", "long")]


@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_occurrences_lie_in_the_text(text: str, words: list[str]) -> None:
    for mark in occurrences(text, words, "differs"):
        found = text[mark.start : mark.end]
        assert any(found.lower() == word.strip().lower() or found in word for word in words)


def test_a_number_is_not_found_inside_another() -> None:
    text = "In 1500 there were 15, not 150; İstanbul had 15."
    assert [text[mark.start : mark.end] for mark in occurrences(text, ["15"], "differs")] == ["15", "15"]
    assert len(occurrences("ISTANBUL, Istanbul", ["istanbul"], "differs")) == 2
