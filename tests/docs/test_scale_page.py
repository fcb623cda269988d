"""docs/scale.md holds the tables that the committed figures give."""

from __future__ import annotations

from pathlib import Path

from bench.scale_model import written_into

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def test_the_tables_are_those_of_the_committed_figures() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written_into(page) == page
