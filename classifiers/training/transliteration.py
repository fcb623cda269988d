"""Letter tables between the scripts of Turkic languages, to make training text where parallel corpora hold
one script only.

Sources: the Azerbaijani Cyrillic alphabet of 1958, the Uzbek Cyrillic alphabet of 1940, the
Kazakh Latin alphabets of 2017 (apostrophes), 2018 (acutes) and 2021 (umlauts and
breves).
"""

from __future__ import annotations

from collections.abc import Mapping

import regex

_AZERBAIJANI = dict(zip("abcçdeəfgğhxıijkqlmnoöprsştuüvyz", "абҹчдеәфҝғһхыижкглмноөпрсштуүвјз", strict=True))
_UZBEK = {
    "o'": "ў", "g'": "ғ", "sh": "ш", "ch": "ч", "yo": "ё", "yu": "ю", "ya": "я", "ye": "е", "ts": "ц",
    "'": "ъ",
} | dict(zip("abdefghijklmnopqrstuvxyz", "абдефгҳижклмнопқрстувхйз", strict=True))  # fmt: skip
_KAZAKH_COMMON = dict(zip("абвгджзйклмнопрстуфхцчшщэюя", "abvgdjziklmnoprstufhççşşeıa", strict=True))
_KAZAKH_COMMON |= {
    "ц": "ts",
    "ч": "ch",
    "щ": "shsh",
    "ю": "iu",
    "я": "ia",
    "ъ": "",
    "ь": "",
    "ё": "io",
    "е": "e",
    "һ": "h",
}
_KAZAKH_2021 = _KAZAKH_COMMON | {
    "ә": "ä", "ғ": "ğ", "и": "i", "і": "ı", "ң": "ñ", "ө": "ö", "қ": "q", "у": "u", "ұ": "ū", "ү": "ü",
    "ы": "y", "й": "i", "ш": "ş",
}  # fmt: skip
_KAZAKH_2018 = _KAZAKH_COMMON | {
    "ә": "á", "ғ": "ǵ", "и": "ı", "і": "i", "ң": "ń", "ө": "ó", "қ": "q", "у": "ý", "ұ": "u", "ү": "ú",
    "ы": "y", "й": "ı", "ш": "sh",
}  # fmt: skip
_KAZAKH_2017 = _KAZAKH_COMMON | {
    "ә": "a'", "ғ": "g'", "и": "i'", "і": "i", "ң": "n'", "ө": "o'", "қ": "q", "у": "y'", "ұ": "u", "ү": "u'",
    "ы": "y", "й": "i'", "ш": "s'", "ч": "c'",
}  # fmt: skip

TO_CYRILLIC: Mapping[str, Mapping[str, str]] = {"az": _AZERBAIJANI, "uz": _UZBEK}
KAZAKH_TO_LATIN: tuple[Mapping[str, str], ...] = (_KAZAKH_2021, _KAZAKH_2018, _KAZAKH_2017)

_APOSTROPHES = regex.compile(r"[‘’ʻʼ`´′]")
_PLAIN = str.maketrans("şıİğçöüəŞĞÇÖÜƏáéíóőúűäňžý", "siIgcoueSGCOUEaeioouuanzy")


def to_cyrillic(text: str, language: str) -> str:
    """Azerbaijani or Uzbek Latin text in the Cyrillic letters of the language, in lower case."""
    lowered = (
        _APOSTROPHES.sub("'", text).replace("I", "ı" if language == "az" else "i").replace("İ", "i").lower()
    )
    cyrillic = transliterate(lowered, TO_CYRILLIC[language])
    # Uzbek writes э at the beginning of a word where Latin has e.
    return regex.sub(r"\bе", "э", cyrillic) if language == "uz" else cyrillic


def transliterate(text: str, table: Mapping[str, str]) -> str:
    """``text`` (lower case) with every key of ``table`` replaced, longer keys first."""
    keys = sorted(table, key=len, reverse=True)
    pattern = regex.compile("|".join(regex.escape(key) for key in keys))
    return str(pattern.sub(lambda match: table[match.group()], text))


def without_diacritics(text: str) -> str:
    """Turkish, Azerbaijani, Turkmen or Hungarian as typed on a keyboard without its letters."""
    return text.translate(_PLAIN)
