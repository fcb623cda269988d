"""Text tools: canonical form, language, sentences, HTML to text; offsets count code points of the text as it
was sent."""

from classifiers.text.canonical import CanonicalText, Tampering, canonicalise
from classifiers.text.casefold import fold_case
from classifiers.text.errors import NoTextFoundError, TextError
from classifiers.text.html_article import HtmlArticle, extract_html
from classifiers.text.language import LANGUAGES, Language, identify_language
from classifiers.text.prose import ProseProfile, prose_profile
from classifiers.text.sentences import split_sentences
from classifiers.text.spans import Span
from classifiers.text.words import count_words

__all__ = [
    "LANGUAGES",
    "CanonicalText",
    "HtmlArticle",
    "Language",
    "NoTextFoundError",
    "ProseProfile",
    "Span",
    "Tampering",
    "TextError",
    "canonicalise",
    "count_words",
    "extract_html",
    "fold_case",
    "identify_language",
    "prose_profile",
    "split_sentences",
]
