"""Letters of one script standing in for look-alikes of another, and folding them back.

A reader sees no difference between Latin ``a`` and Cyrillic ``а``; a model reads another word. A word that
mixes scripts is folded to the script that most of its letters prove. Letters that only Kazakh, Kyrgyz, Uzbek
or Azerbaijani use (і ә һ ө ң ғ қ ү ұ ў ҳ ə ı ğ) belong to their scripts and stay.
"""

from __future__ import annotations

import re

import regex

# Pairs seen as equal, case by case.
_LATIN_TWINS = "aceopxyijshəɵABCEHIJKMOPSTXYƏƟ"
_CYRILLIC_TWINS = "асеорхуіјѕһәөАВСЕНІЈКМОРЅТХУӘӨ"
_TO_CYRILLIC = dict(zip(_LATIN_TWINS, _CYRILLIC_TWINS, strict=True))
_TO_LATIN = dict(zip(_CYRILLIC_TWINS, _LATIN_TWINS, strict=True)) | {
    "ԛ": "q",
    "ԝ": "w",
    "Ԛ": "Q",
    "Ԝ": "W",
    "Ү": "Y",
}
_TO_LATIN |= {"ү": "y", "ԁ": "d", "Ԍ": "G", "ӏ": "l", "Ӏ": "I"}

# Letters of other scripts and phonetic letters that look like a Latin one: single characters out of the
# Unicode confusables table (Unicode Technical Standard 39) that survive NFKC, with Greek small letters added.
_LOOK_ALIKES = {
    "A": "ΑᎪᗅꓮ𐊠𖽀",
    "B": "ΒᏴᗷꓐꞴ𐊂𐊡𐌁",
    "C": "ᏟⲤꓚ𐊢𐌂𐐕𐔜",
    "D": "Ꭰᗞᗪꓓ",
    "E": "ΕᎬⴹꓰ𐊆𑢦𑢮",
    "F": "ϜᖴꓝꞘ𐊇𐊥𐔥𑢢𑣂",
    "G": "ᏀᏳꓖ",
    "H": "ΗᎻᕼⲎꓧ𐋏",
    "I": "ΙᛁⲒꓲ𐊊𐌉",
    "J": "ͿᎫᒍꓙꞲ",
    "K": "ΚᏦᛕⲔꓗ𐔘",
    "L": "ᏞᒪⳐꓡ𐐛𐔦𑢣𑢲𖼖",
    "M": "ΜϺᎷᗰᛖⲘꓟ𐊰𐌑",
    "N": "ΝⲚꓠ𐔓",
    "O": "ΟՕଠዐⲞⵔꓳ𐊒𐊫𐐄𐓂𐔖𑢵",
    "P": "ΡᏢᑭⲢꓑ𐊕",
    "Q": "ⵕ",
    "R": "ᎡᏒᖇꓣ𐒴𖼵",
    "S": "ՏᏕᏚꓢ𐊖𐐠𖼺",
    "T": "ΤᎢⲦꓔ𐊗𐊱𐌕𑢼𖼊",
    "U": "Սሀᑌꓴ𐓎𑢸𖽂",
    "V": "Ꮩᐯⴸꓦꛟ𐔝𑢠𖼈",
    "W": "ᎳᏔꓪ",
    "X": "ΧᚷⲬⵝꓫꞳ𐊐𐊴𐌗𐔧",
    "Y": "ΥᎩᎽⲨꓬ𐊲𑢤𖽃",
    "Z": "ΖᏃꓜ𑢩",
    "a": "ɑα",
    "b": "Ꮟᑲᖯ",
    "c": "ᴄⲥꮯ𐐽",
    "d": "Ꮷᑯꓒ",
    "e": "εꬲ",
    "f": "քꞙꬵ",
    "g": "ɡց",
    "h": "հᏂ",
    "i": "ɩɪιᎥꭵ𑣃",
    "j": "ϳ",
    "k": "κ",
    "l": "ⵏ𖼨",
    "n": "ηոռ",
    "o": "οσօഠဝჿᴏᴑⲟꬽ𐐬𐓪𑣈𑣗",
    "p": "ρⲣ",
    "q": "գզ",
    "r": "ᴦⲅꭇꭈꮁ",
    "s": "ꜱꮪ𐑈𑣁",
    "t": "τ",
    "u": "ʋυսᴜꞟꭎꭒ𐓶𑣘",
    "v": "νᴠꮩ𑜆𑣀",
    "w": "ɯωաᴡꮃ𑜊𑜎𑜏",
    "x": "χᕁᕽ",
    "y": "ɣʏγყꭚ𑣜",
    "z": "ᴢꮓ𑣄",
}
_TO_LATIN_FROM_OTHERS = {
    look_alike: letter for letter, look_alikes in _LOOK_ALIKES.items() for look_alike in look_alikes
}

# Latin letters that Kazakh and Azerbaijani keyboards put into Cyrillic words, and Cyrillic schwa in Latin
# ones: they are folded, but they are a habit of typing and no sign of tampering.
_TYPING_HABITS = frozenset("iIhəƏәӘ")

_LATIN = regex.compile(r"\p{Latin}")
_CYRILLIC = regex.compile(r"\p{Cyrillic}")
_WORD = regex.compile(r"[\p{L}\p{M}]+")
# Two neighbouring letters of different scripts; explicit ranges, because they are ten times faster than
# script classes.
_LATIN_RANGE = "A-Za-zªºÀ-ÖØ-öø-ɏḀ-ỿ"
_CYRILLIC_RANGE = "Ѐ-҄҇-ԯᲀ-ᲈⷠ-ⷿꙀ-ꚟ"
_OTHER_RANGE = "".join(_TO_LATIN_FROM_OTHERS)
_SCRIPT_BORDER = re.compile(
    f"[{_LATIN_RANGE}][{_CYRILLIC_RANGE}{_OTHER_RANGE}]|[{_CYRILLIC_RANGE}][{_LATIN_RANGE}{_OTHER_RANGE}]"
    f"|[{_OTHER_RANGE}][{_LATIN_RANGE}{_CYRILLIC_RANGE}]"
)
_HAS_LATIN = re.compile(f"[{_LATIN_RANGE}]")
_HAS_CYRILLIC = re.compile(f"[{_CYRILLIC_RANGE}]")
# Whole words made of twins alone. Latin ones count in small letters only: "BMX" or "CO" in Russian is what it
# says.
_CYRILLIC_TWIN_WORD = regex.compile(
    rf"(?<![\p{{L}}\p{{M}}\p{{N}}])[{_CYRILLIC_TWINS}]{{1,12}}(?![\p{{L}}\p{{M}}\p{{N}}])"
)
_LATIN_TWIN_WORD = regex.compile(r"(?<![\p{L}\p{M}\p{N}])[aceopxy]{1,3}(?![\p{L}\p{M}\p{N}])")
_NEIGHBOURHOOD = 12


def find_homoglyphs(text: str) -> tuple[list[tuple[int, str]], int]:
    """Find look-alike letters in ``text``.

    Returns the replacements as ``(position, letter)`` in order, and the number of words that hold them, words
    explained by keyboard habits left out.
    """
    replacements: list[tuple[int, str]] = []
    suspicious = 0
    if text.isascii():
        return replacements, suspicious
    done = -1
    for border in _SCRIPT_BORDER.finditer(text):
        if border.start() < done:
            continue
        start, end = _word_around(text, border.start())
        done = end
        found = _fold_word(text[start:end])
        replacements.extend((start + offset, letter) for offset, letter in found)
        if any(text[start + offset] not in _TYPING_HABITS for offset, _ in found):
            suspicious += 1
    whole_words = _twin_words(text, {position for position, _ in replacements})
    suspicious += len(whole_words)
    for start, letters in whole_words:
        replacements.extend((start + offset, letter) for offset, letter in enumerate(letters))
    replacements.sort()
    return replacements, suspicious


def _word_around(text: str, position: int) -> tuple[int, int]:
    start = position
    while start and _WORD.match(text[start - 1]):
        start -= 1
    match = _WORD.match(text, start)
    return start, match.end() if match else position + 1


def _fold_word(word: str) -> list[tuple[int, str]]:
    letters = list(word)
    for offset, letter in enumerate(letters):
        letters[offset] = _TO_LATIN_FROM_OTHERS.get(letter, letter)
    latin = [offset for offset, letter in enumerate(letters) if _LATIN.match(letter)]
    cyrillic = [offset for offset, letter in enumerate(letters) if _CYRILLIC.match(letter)]
    if latin and cyrillic:
        # Letters without a twin prove the script; where none does, the majority speaks, then Cyrillic.
        latin_proof = sum(letters[offset] not in _TO_CYRILLIC for offset in latin)
        cyrillic_proof = sum(letters[offset] not in _TO_LATIN for offset in cyrillic)
        to_latin = (latin_proof, len(latin)) > (cyrillic_proof, len(cyrillic))
        foreign, table = (cyrillic, _TO_LATIN) if to_latin else (latin, _TO_CYRILLIC)
        if all(letters[offset] in table for offset in foreign):
            for offset in foreign:
                letters[offset] = table[letters[offset]]
    return [(offset, letter) for offset, letter in enumerate(letters) if letter != word[offset]]


def _twin_words(text: str, taken: set[int]) -> list[tuple[int, str]]:
    """Words of twins alone whose neighbours on both sides are of the other script."""
    found: list[tuple[int, str]] = []
    if not (_HAS_LATIN.search(text) and _HAS_CYRILLIC.search(text)):
        return found
    candidates = ((_CYRILLIC_TWIN_WORD, _LATIN, _TO_LATIN), (_LATIN_TWIN_WORD, _CYRILLIC, _TO_CYRILLIC))
    for pattern, other_script, table in candidates:
        for match in pattern.finditer(text):
            if match.start() in taken:
                continue
            before = regex.findall(r"\p{L}", text[max(0, match.start() - _NEIGHBOURHOOD) : match.start()])
            after = regex.search(r"\p{L}", text[match.end() : match.end() + _NEIGHBOURHOOD])
            if before and after and other_script.match(before[-1]) and other_script.match(after.group()):
                found.append((match.start(), "".join(table[letter] for letter in match.group())))
    return found
