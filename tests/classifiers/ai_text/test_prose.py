"""What is mostly quotation, list, table or figures is not judged; ordinary prose is."""

import pytest

from classifiers.ai_text.prose import is_prose
from classifiers.text import canonicalise

PROSE = (
    "The ferry left the old harbour an hour late. Nobody on the pier seemed to mind, because the wind "
    "had turned and the tea was still warm. A boy counted gulls aloud. His grandmother corrected him twice."
)


def _is_prose(text: str) -> bool:
    return is_prose(text, canonicalise(text).text)


def test_running_text_is_prose_however_it_is_wrapped() -> None:
    assert _is_prose(PROSE)
    assert _is_prose(PROSE.replace(" ", "\n"))
    assert _is_prose("– " + PROSE)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"- item number {name} of the shopping list" for name in ("one", "two", "three", "four")),
        "\n".join("| bread | 40 | 38 | 41 |" for _ in range(8)),
        '"' + PROSE.replace('"', "") + '" he said.',
        "12 45 1999 7 8 town 33 41 9 village 88 91 3 5 7 9.",
        " ".join(["harbour market school bridge station"] * 40),
        "",
    ],
)
def test_other_texts_are_not(text: str) -> None:
    assert not _is_prose(text)
