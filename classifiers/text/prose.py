"""How much of a text is lists, tables, headings or quotations instead of running prose.

The origin detector is trained on prose and abstains elsewhere. Measured on the text as it was sent, because
the canonical form has no lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex

_LIST_LINE = regex.compile(r"\s*(?:[-*+•‣▪◦●–—]\s+|\d{1,3}[.)]\s+|[a-zа-яәө][.)]\s+)", regex.IGNORECASE)
_TABLE_LINE = regex.compile(
    r"\s*\||[^\n|]*\|[^\n|]*\||[^\n\t]*\S\t+\S[^\n\t]*\t+\S|[^\n;]{1,40};[^\n;]{1,40};[^\n;]{1,40};"
)
_QUOTE_LINE = regex.compile(r"\s*>")
_QUOTED = regex.compile(r"«[^«»]{2,3000}»|“[^“”]{2,3000}”|„[^„“”]{2,3000}[“”]|\"[^\"\n]{2,3000}\"")
_SENTENCE_END = regex.compile(r"[.!?…:][\"'»”’)\]]*\s*$")

# A dash at the line's start is a list item only in a short line; longer ones are dialogue.
_LONGEST_DASH_ITEM = 160
_LONGEST_HEADING = 90


@dataclass(frozen=True, slots=True)
class ProseProfile:
    """Shares of a text's visible characters, each between 0 and 1. Kinds of lines do not overlap; quotations
    may be in any.

    ``quote_fraction`` covers quoted lines and text within quotation marks.
    """

    list_fraction: float
    table_fraction: float
    heading_fraction: float
    quote_fraction: float

    @property
    def prose_fraction(self) -> float:
        """What is neither list, table nor heading."""
        return max(0.0, 1.0 - self.list_fraction - self.table_fraction - self.heading_fraction)


def prose_profile(text: str) -> ProseProfile:
    """Measure ``text`` by its lines. A text without visible characters gives zeros."""
    total = listed = tabled = headed = quoted = 0
    lines = text.splitlines()
    for line in lines:
        size = _visible(line)
        total += size
        if _TABLE_LINE.match(line):
            tabled += size
        elif _is_list_item(line):
            listed += size
        elif len(lines) > 1 and _is_heading(line):
            headed += size
        if _QUOTE_LINE.match(line):
            quoted += size
    unmarked = "\n".join(line for line in lines if not _QUOTE_LINE.match(line))
    quoted += sum(_visible(match.group()) for match in _QUOTED.finditer(unmarked))
    whole = max(1, total)
    return ProseProfile(listed / whole, tabled / whole, headed / whole, min(1.0, quoted / whole))


def _visible(line: str) -> int:
    return len(line) - sum(map(str.isspace, line))


def _is_list_item(line: str) -> bool:
    match = _LIST_LINE.match(line)
    if not match:
        return False
    return line.lstrip()[0] not in "-–—" or len(line) <= _LONGEST_DASH_ITEM


def _is_heading(line: str) -> bool:
    stripped = line.strip()
    if stripped.startswith("#"):
        return True
    return 0 < len(stripped) <= _LONGEST_HEADING and not _SENTENCE_END.search(stripped)
