"""Turning a sentence into one that says something else: numbers, names and negation changed by rule.

The rules need no parser, so each returns None where it does not apply. They multiply the small written
stance set from parallel sentences; a few outputs are clumsy. `shorten`, `spell_number`, `retouch` and
`bound_number` keep what the text says, or say less.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from classifiers.stance.dates import is_year
from classifiers.stance.names import Name, find_names
from classifiers.stance.number_words import NUMBER_WORDS
from classifiers.stance.numbers import Quantity, find_quantities

_PLAIN_DIGITS = re.compile(r"\d+")


def change_number(text: str, language: str, rng: random.Random) -> str | None:
    """``text`` with one number replaced by another of the same look, or None when it holds none."""
    candidates = [q for q in find_quantities(text, language) if q.certain and q.values[0] > 1]
    if not candidates:
        return None
    chosen = rng.choice(candidates)
    digits = _PLAIN_DIGITS.search(chosen.text)
    replacement = _other_digits(chosen.text, rng) if digits else _other_words(chosen, language, rng)
    if replacement is None or replacement == chosen.text:
        return None
    return text[: chosen.start] + replacement + text[chosen.end :]


def _other_digits(written: str, rng: random.Random) -> str:
    """Change the leading group of digits, keeping its length: 57 -> 37, 1,200 -> 4,200, 2019 -> 2016."""
    match = _PLAIN_DIGITS.search(written)
    assert match is not None
    group = match.group()
    if len(group) == 4 and group[:2] in ("19", "20"):
        other = str(int(group) + rng.choice([-9, -7, -5, -3, -2, -1, 1, 2, 3, 4, 6]))
    elif len(group) == 2 and rng.random() < 0.25 and group[0] != group[1] and group[1] != "0":
        other = group[::-1]
    else:
        position = 0 if rng.random() < 0.7 else rng.randrange(len(group))
        choices = [d for d in "123456789" if d != group[position]]
        other = group[:position] + rng.choice(choices) + group[position + 1 :]
    return written[: match.start()] + other + written[match.end() :]


def _other_words(quantity: Quantity, language: str, rng: random.Random) -> str | None:
    """Replace a lone number word below 100 by another one of the same kind; its ending is kept as it is."""
    words = NUMBER_WORDS.get(language)
    if words is None or quantity.kind == "ordinal":
        return None
    lowered = quantity.text.lower()
    stem = next((s for s in sorted(words.cardinals, key=len, reverse=True) if lowered.startswith(s)), None)
    if stem is None or words.cardinals[stem] < 2 or " " in lowered:
        return None
    old = words.cardinals[stem]
    same_decade = [
        s for s, v in words.cardinals.items() if v != old and v > 1 and (v < 10) == (old < 10) and v < 100
    ]
    other = rng.choice(same_decade)
    return other + quantity.text[len(stem) :] if language != "ru" else other


def spell_number(text: str, language: str, rng: random.Random) -> str | None:
    """``text`` with one whole number below 100 in words instead of digits: the same statement, written
    otherwise.
    """
    words = NUMBER_WORDS.get(language)
    if words is None or language == "ru":  # Russian number words agree in case with what they count
        return None
    by_value = {v: s for s, v in reversed(words.cardinals.items())}
    for quantity in find_quantities(text, language):
        ends = text[quantity.end : quantity.end + 1]
        if quantity.kind in ("ordinal", "time") or not quantity.text.isdigit() or ends not in (" ", ""):
            continue
        value = int(quantity.text)
        if not 2 <= value < 100:
            continue
        tens, unit = value - value % 10, value % 10
        parts = [by_value[v] for v in (tens, unit) if v and v in by_value]
        if value in by_value:
            parts = [by_value[value]]
        joiner = "-" if language == "en" else "" if language == "hu" else " "
        return text[: quantity.start] + joiner.join(parts) + text[quantity.end :]
    return None


# "At most" and "at least" as they are put before a number.
_BOUNDS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {"<": ("at most", "up to", "no more than"), ">": ("at least", "no fewer than")},
    "ru": {"<": ("не более", "максимум"), ">": ("не менее", "как минимум")},
    "hu": {"<": ("legfeljebb", "nem több mint"), ">": ("legalább",)},
    "tr": {"<": ("en fazla", "en çok"), ">": ("en az",)},
    "az": {"<": ("ən çoxu",), ">": ("ən azı",)},
    "kk": {"<": ("ең көбі", "ең көп дегенде"), ">": ("кемінде",)},
    "ky": {"<": ("эң көп дегенде",), ">": ("кеминде",)},
    "uz": {"<": ("koʻpi bilan",), ">": ("kamida",)},
    "tk": {"<": ("köp bolanda",), ">": ("azyndan",)},
}


def bound_number(text: str, language: str, bound: str, rng: random.Random) -> str | None:
    """``text`` with "at most" (``bound`` "<") or "at least" (">") before its first plain number that counts
    something; None where there is none. The number itself stays what it was.
    """
    for quantity in find_quantities(text, language):
        plain = quantity.text.isdigit() and quantity.kind in ("cardinal", "percent", "currency")
        if not plain or quantity.relation != "=" or is_year(quantity) or quantity.unit in ("year", "age"):
            continue
        before, after = text[: quantity.start], text[quantity.end :]
        # Only a number between two words: no part of a date, a score, a range or a name.
        if re.search(r"[^\W\d_] $", before) and re.match(r" [^\W\d_]", after):
            return f"{before}{rng.choice(_BOUNDS[language][bound])} {quantity.text}{after}"
    return None


def swap_names(text: str, language: str) -> str | None:
    """``text`` with its first two different names exchanged, or None with fewer than two."""
    names = _distinct(find_names(text, language))
    if len(names) < 2:
        return None
    first, second = names[0], names[1]
    if len(text[first.end : second.start].split()) < 2:  # parts of one name
        return None
    return (
        text[: first.start]
        + second.stem
        + text[first.start + len(first.stem) : second.start]
        + first.stem
        + text[second.start + len(second.stem) :]
    )


def replace_name(text: str, language: str, pool: list[str], rng: random.Random) -> str | None:
    """``text`` with every mention of one name replaced by a name from ``pool`` (stems in the same
    language).
    """
    names = _distinct(find_names(text, language))
    if not names or not pool:
        return None
    name = rng.choice(names)
    others = [other for other in pool if other[:3].lower() != name.stem[:3].lower()]
    return re.sub(rf"\b{re.escape(name.stem)}\b", rng.choice(others), text) if others else None


def _distinct(names: list[Name]) -> list[Name]:
    return list({name.stem[:4].lower(): name for name in reversed(names) if len(name.stem) > 2}.values())[
        ::-1
    ]


_REMOVE = {
    "en": r"\b(?:not|never) ", "ru": r"\bне ", "hu": r"\bnem ", "tr": r" değil", "az": r" deyil",
        "uz": r" emas",
    "kk": r" емес", "ky": r" эмес", "tk": r" däl",
}  # fmt: skip
_INSERT: dict[str, list[tuple[str, str]]] = {
    "en": [(r"\b(is|are|was|were|has|have|had|will|would|can|could|should|does|did|do)\b(?! not)", r"\1 not"),
           (r"\b(said|announced|confirmed|reported|says|claimed) (?=that\b|\w)", r"denied ")],
    "ru": [(r"(?<!не )\b([а-яё]{3,}(?:ал|ил|ел|ла|ли|ло|лся|лась|лись|ет|ит|ют|ут|ят))\b(?=[ ,.])", r"не "
        r"\1")],
    "hu": [(r"\b(van|volt|lett|lesz|voltak|lehet|fog|kell|tudja|tudta|mondta|közölte|jelentette|nyerte|"
        r"kapott|tett|történt"
            r"|\w{4,}(?:ott|ett|ött|tak|tek|ják|ik))\b", r"nem \1")],
    "tr": [(r"([aıou]\w*?)(?:dı|du|tı|tu)([.\"”]*)$", r"\1madı\2"), (r"([eiöü]\w*?)(?:di|dü|ti|"
        r"tü)([.\"”]*)$", r"\1medi\2"),
           (r"([aı]\w*?)[ıiuü]yor(\w*[.\"”]*)$", r"\1mıyor\2"), (r"([ei]\w*?)[ıiuü]yor(\w*[.\"”]*)$",
               r"\1miyor\2"),
           (r"([aıou]\w*?)(?:mış|muş)([.\"”]*)$", r"\1mamış\2"), (r"([eiöü]\w*?)(?:miş|müş)([.\"”]*)$",
               r"\1memiş\2"),
           (r"acak([.\"”]*)$", r"mayacak\1"), (r"ecek([.\"”]*)$", r"meyecek\1")],
    "az": [(r"([aıou]\w*?)(?:dı|du)([.\"”]*)$", r"\1madı\2"), (r"([eəiöü]\w*?)(?:di|dü)([.\"”]*)$",
        r"\1mədi\2"),
           (r"(?:ıb|ub)([.\"”]*)$", r"mayıb\1"), (r"(?:ib|üb)([.\"”]*)$", r"məyib\1"),
           (r"(?:ır|ur)([.\"”]*)$", r"mır\1"), (r"(?:ir|ür)([.\"”]*)$", r"mir\1"), (r"acaq([.\"”]*)$",
               r"mayacaq\1"),
           (r"əcək([.\"”]*)$", r"məyəcək\1")],
    "kk": [(r"([аоұы]\w*?)(?:ды|ты)([.\"»”]*)$", r"\1мады\2"), (r"([еөүі]\w*?)(?:ді|ті)([.\"»”]*)$",
        r"\1меді\2"),
           (r"(?:ған|қан)([.\"»”]*)$", r"маған\1"), (r"(?:ген|кен)([.\"»”]*)$", r"меген\1"), (r"(болды|"
               r"бар)([.\"»”]*)$", r"жоқ\2")],
    "ky": [(r"([аоуы]\w*?)(?:ды|ду|ты|ту)([.\"»”]*)$", r"\1бады\2"), (r"([еөүи]\w*?)(?:ди|дү|ти|"
        r"тү)([.\"»”]*)$", r"\1беди\2"),
           (r"(?:ган|кан|гон)([.\"»”]*)$", r"баган\1"), (r"(?:ген|кен|гөн)([.\"»”]*)$", r"беген\1")],
    "uz": [(r"(\w{3,}?)(?:adi|di)([.\"”]*)$", r"\1madi\2"), (r"(\w{3,}?)gan([.\"”]*)$", r"\1magan\2"),
           (r"(\w{3,}?)moqda([.\"”]*)$", r"\1mayapti\2")],
    "tk": [(r"([aoyu]\w*?)(?:dy|du)([.\"”]*)$", r"\1mady\2"), (r"([eiöüä]\w*?)(?:di|dü)([.\"”]*)$",
        r"\1medi\2"),
           (r"ýar([.\"”]*)$", r"maýar\1"), (r"ýär([.\"”]*)$", r"meýär\1")],
}  # fmt: skip


def negate(text: str, language: str, rng: random.Random) -> str | None:
    """``text`` with a negation put in or taken out, or None where no rule of its language fits."""
    removal = _REMOVE.get(language)
    if removal and re.search(removal, text):
        return re.sub(removal, "" if removal.endswith(" ") else " ", text, count=1).strip()
    for pattern, replacement in _INSERT.get(language, []):
        matches = list(re.finditer(pattern, text))
        if matches:
            chosen = rng.choice(matches)
            return text[: chosen.start()] + chosen.expand(replacement) + text[chosen.end() :]
    return None


def shorten(text: str, rng: random.Random) -> str | None:
    """The part of ``text`` before a comma, dash or semicolon: a weaker statement, or None where it has no
    such part.
    """
    cuts = [m.start() for m in re.finditer(r",\s|\s[–—-]\s|;\s", text)]
    cuts = [c for c in cuts if len(text[:c].split()) >= 5 and len(text[c:].split()) >= 4]
    return text[: rng.choice(cuts)].rstrip(" ,;–—-") + "." if cuts else None


def retouch(text: str, rng: random.Random) -> str | None:
    """The sentence as a sub-editor might leave it: other quotes and dashes, a comma or the full stop gone,
    a lower-case start, a bracket dropped. None where nothing changed.
    """
    edits: list[Callable[[str], str]] = [
        lambda t: t.rstrip(". "),
        lambda t: t.replace(",", "", 1),
        lambda t: re.sub(r"[\"«»“”„]", "", t),
        lambda t: t.replace(" - ", " – ").replace(" — ", " – "),
        lambda t: t[:1].lower() + t[1:],
        lambda t: t + ".." if t.endswith(".") else t + ".",
        lambda t: re.sub(r"\s*\([^)]*\)", "", t),
    ]
    edited = text
    for edit in rng.sample(edits, k=rng.randint(1, 3)):
        edited = edit(edited)
    return edited if edited != text else None
