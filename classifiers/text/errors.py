"""What can be wrong with a text that is handed in.

TextError
└── NoTextFoundError     an HTML page without readable text
"""

from __future__ import annotations


class TextError(ValueError):
    """A text that cannot be used. The message says why, in words for the sender."""


class NoTextFoundError(TextError):
    """An HTML page holds no readable article text."""
