"""Markdown, HTML remnants and list markers: what a chat assistant or a scraper adds to prose, found as ranges
to delete.

Every pattern is bounded, so that no input makes matching slower than linear. Line patterns see the text
before its lines are joined.
"""

from __future__ import annotations

import html
from itertools import pairwise

import regex

# A fence with at most a language name, a rule, or an underline that makes the line before it a heading.
_WHOLE_LINE = regex.compile(
    r"^[ \t]*+(?:`{3,}+[ \t]*+[\w+-]{0,20}+|~{3,}+[ \t]*+[\w+-]{0,20}+|={3,}+|(?:[-*_][ \t]*+){3,}+|[|:\- "
    r"\t]{0,400}+(?<=\|[:\- \t]{0,400}))[ \t]*+$",
    regex.MULTILINE,
)
_LINE_START = regex.compile(
    r"^[ \t]*+(?:#{1,6}+[ \t]++|>++[ \t]?+|[-*+•‣▪◦●∙·■□►▶➤✓✔☑][ \t]++)++", regex.MULTILINE
)
_HEADING_END = regex.compile(r"[ \t]#{1,6}[ \t]*+$", regex.MULTILINE)
_NUMBERED = regex.compile(r"^[ \t]*+(?:\*\*|__)?(\d{1,3})[.)][ \t]++", regex.MULTILINE)
_TABLE_ROW = regex.compile(r"^[ \t]*+\|[^\n]*+", regex.MULTILINE)
_LINK = regex.compile(
    r'!?\[([^\[\]\n]{0,400}+)\](\([^()\s]{0,2000}+(?:[ \t]"[^"\n()]{0,200}+")?\)|\[[^\[\]\n]{0,40}+\])'
)
_REFERENCE = regex.compile(r"^[ \t]*+\[[^\[\]\n]{1,60}+\]:[ \t]*+\S{1,2000}+[ \t]*+$", regex.MULTILINE)
_AUTOLINK = regex.compile(r"<(?=(?:https?://|mailto:)[^<>\s]{1,2000}+(>))")
_TAG = regex.compile(
    r"</?(?:a|abbr|b|blockquote|br|center|cite|code|del|div|em|figcaption|figure|font|h[1-6]|hr|i|img|ins|li"
    r"|mark|ol|p|pre|q"
    r"|s|small|span|strong|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul)(?:\s[^<>]{0,1000}+)?/?>"
    r"|<!--[^<>]{0,1000}+-->",
    regex.IGNORECASE,
)
_BLOCK_TAGS = regex.compile(
    r"</?(?:blockquote|br|div|figure|h[1-6]|hr|li|ol|p|table|td|th|tr|ul)\b", regex.IGNORECASE
)
_STARS = regex.compile(r"(?<![\d ])\*++|\*++(?![\d ])|\*{2,}+")
_UNDERSCORES = regex.compile(r"(?<!\w)_{1,3}+(?=\S)|(?<=\S)(?<!_)_{1,3}+(?![\w])|_{2,}+")
# `code`; a backtick after a letter is an apostrophe of Uzbek, a doubled one a quotation mark of TeX.
_CODE = regex.compile(r"(?<![`\w])(`)(?=[^`'\n]{1,200}+(`)(?![`\w]))")
_STRIKE = regex.compile(r"~~++")
_BACKSLASH = regex.compile(r"\\(?=[\\`*_{}\[\]()#+.!|>~-])")
# "&amp;amp;quot;" and its like, escaped more than once.
_ENTITY = regex.compile(
    r"&(?:amp;|#0{0,4}38;|#x0{0,4}26;)*+(?:#\d{2,7};|#[xX][0-9a-fA-F]{2,6};|[a-zA-Z]{2,8}\d{0,2};)?"
)
_MARKUP_CHARACTERS = regex.compile(r"[\\`*_\[\]()#<>&|~^]|[{}]")

Range = tuple[int, int]


def find_line_markup(text: str) -> list[Range]:
    """Ranges of markup that stands at lines: fences, rules, heading signs, quote signs, list markers."""
    ranges = [match.span() for pattern in (_WHOLE_LINE, _REFERENCE) for match in pattern.finditer(text)]
    ranges += [match.span() for match in _LINE_START.finditer(text)]
    ranges += [match.span() for match in _HEADING_END.finditer(text)]
    return ranges + _numbered_items(text)


def find_inline_markup(text: str) -> list[Range]:
    """Ranges of markup within lines: emphasis, links (their text stays), code signs, simple HTML tags."""
    ranges: list[Range] = []
    if "](" in text or "][" in text:
        for match in _LINK.finditer(text):
            ranges += [(match.start(), match.start(1)), (match.end(1), match.end())]
    if "<" in text:
        ranges += [match.span() for match in _TAG.finditer(text) if not _BLOCK_TAGS.match(match.group())]
        for match in _AUTOLINK.finditer(text):
            ranges += [match.span(), match.span(1)]
    if "`" in text:
        for match in _CODE.finditer(text):
            ranges += [match.span(1), match.span(2)]
    for sign, pattern in (("*", _STARS), ("_", _UNDERSCORES), ("~~", _STRIKE), ("\\", _BACKSLASH)):
        if sign in text:
            ranges += [match.span() for match in pattern.finditer(text)]
    return ranges


def find_spaced_markup(text: str) -> list[Range]:
    """Ranges that leave a space behind: block tags and the bars of table rows."""
    ranges: list[Range] = []
    if "<" in text:
        ranges += [match.span() for match in _TAG.finditer(text) if _BLOCK_TAGS.match(match.group())]
    if "|" in text:
        for row in _TABLE_ROW.finditer(text):
            ranges += [
                (row.start() + offset, row.start() + offset + 1)
                for offset, c in enumerate(row.group())
                if c == "|"
            ]
    return sorted(ranges)


def find_entities(text: str) -> list[tuple[int, int, str]]:
    """HTML character references as ``(start, end, character)``."""
    found: list[tuple[int, int, str]] = []
    if "&" not in text:
        return found
    for match in _ENTITY.finditer(text):
        value = match.group()
        while (unescaped := html.unescape(value)) != value and len(unescaped) > 1:
            value = unescaped
        if unescaped != match.group() and len(unescaped) == 1:
            found.append((match.start(), match.end(), unescaped))
    return found


def find_markup_characters(text: str) -> list[Range]:
    """Every character that markup is made of; for text built to nest markup without end."""
    return [match.span() for match in _MARKUP_CHARACTERS.finditer(text)]


def _numbered_items(text: str) -> list[Range]:
    """Markers of lists that count on: "1.", "2.", ... A lone "5." may be an ordinal and stays."""
    items = list(_NUMBERED.finditer(text))
    listed: set[int] = set()
    for (index, item), (_, following) in pairwise(enumerate(items)):
        if int(following.group(1)) == int(item.group(1)) + 1:
            listed |= {index, index + 1}
    return [items[index].span() for index in sorted(listed)]
