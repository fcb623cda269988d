"""Text tools: one canonical form, letter case, hidden characters; every offset counts code points of the text as sent."""

from classifiers.text.canonical import CanonicalText, Tampering, canonicalise
from classifiers.text.casefold import fold_case
from classifiers.text.language import LANGUAGES, Language, identify_language
from classifiers.text.sentences import split_sentences
from classifiers.text.spans import Span



__all__ = [
    "LANGUAGES",
    "CanonicalText",
    "Language",
    "Span",
    "Tampering",
    "canonicalise",
    "fold_case",
    "identify_language",
    "split_sentences",
]
