"""Text tools: one canonical form, letter case, hidden characters; every offset counts code points of the text as sent."""

from classifiers.text.canonical import CanonicalText, Tampering, canonicalise
from classifiers.text.casefold import fold_case
from classifiers.text.spans import Span

LANGUAGES = ("az", "kk", "ky", "tr", "uz", "tk", "hu", "ru", "en")

__all__ = ["LANGUAGES", "CanonicalText", "Span", "Tampering", "canonicalise", "fold_case"]
