"""Lower case as the language of a text writes it: dotted and dotless i kept apart in Turkic languages."""

from __future__ import annotations

# Languages whose Latin alphabet has both I/ı and İ/i. Uzbek and Turkmen use the plain pair I/i.
_DOTLESS_LANGUAGES = frozenset({"az", "tr", "kk"})

# Kazakh in Cyrillic letters holds Latin words (names, brands) whose I is a plain one.
_CYRILLIC_BY_DEFAULT = frozenset({"kk"})

_DOTTED = {ord("İ"): "i"}
_DOTLESS = {ord("İ"): "i", ord("I"): "ı"}


def fold_case(text: str, language: str) -> str:
    """Lower-case ``text`` without changing its length, so that offsets stay valid.

    In Azerbaijani and Turkish (and Latin-script Kazakh) ``I`` becomes ``ı`` and ``İ`` becomes ``i``;
    elsewhere ``I`` becomes ``i``. ``ß`` and other letters whose full case folding is longer stay single
    letters.
    """
    dotless = language in _DOTLESS_LANGUAGES
    if language in _CYRILLIC_BY_DEFAULT and any("\u0400" <= character <= "\u04ff" for character in text):
        dotless = False
    lowered = text.translate(_DOTLESS if dotless else _DOTTED).lower()
    if len(lowered) == len(text):
        return lowered
    # str.lower is longer than its input for İ alone, gone by now; a future Unicode version may add others.
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)
