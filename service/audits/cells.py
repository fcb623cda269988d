"""Cells of CSV that a spreadsheet opens as text."""

from __future__ import annotations

from typing import Final

# What begins a formula in Excel, LibreOffice or Google Sheets, and what is skipped before one.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")


def safe_cell(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would carry out as a formula."""
    text = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
