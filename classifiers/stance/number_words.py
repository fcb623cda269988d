"""Number words of nine languages: tables from word to value, read by :mod:`classifiers.stance.numbers`.

Words are lower-cased (Turkic casing) with every apostrophe written ``'``. Uzbek stands in both scripts.
``num2words`` writes az, kk, tr, hu, ru and en but reads none and has no ky, uz or tk, so one set of tables
serves all nine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberWords:
    """What one language needs to read its number words.

    ``cardinals`` maps a stem to its value below 1,000; ``scales`` to 1,000 and up. A word may be a stem
    followed by something ``inflection`` matches entirely; when ``ordinal`` matches the ending the number is
    an ordinal. ``doubtful`` stems also mean something else when they stand alone (tr *yedi* "ate", hu *hét*
    "week"). ``glued`` languages write several stems in one word.
    """

    cardinals: dict[str, int]
    scales: dict[str, int]
    inflection: re.Pattern[str]
    ordinal: re.Pattern[str]
    doubtful: frozenset[str]
    glued: bool = False


def _table(units: str, tens: str, hundred: str) -> dict[str, int]:
    """Words for 0..9, then 10..90, then 100; alternatives joined by ``/``."""
    values = [*range(10), *range(10, 100, 10), 100]
    words = [*units.split(), *tens.split(), hundred]
    if len(words) != len(values):
        raise ValueError(f"expected {len(values)} number words, got {len(words)}")
    return {form: value for word, value in zip(words, values, strict=True) for form in word.split("/")}


def _scales(thousand: str, million: str, milliard: str, trillion: str) -> dict[str, int]:
    values = (10**3, 10**6, 10**9, 10**12)
    groups = (thousand, million, milliard, trillion)
    return {form: value for group, value in zip(groups, values, strict=True) for form in group.split("/")}


_I = "[ıiuüyi]"
_TURKIC_LATIN = re.compile(
    rf"(?:['-]?(?:{_I}?n[cj]{_I}(?:s{_I})?|{_I}?nchi(?:si)?))?"
    rf"(?:l[aeiı]r{_I}?|l{_I}[kğgq]{_I}?|l{_I}|(?:ş|sh)?[ae]r|[dt]a?cha)?"
    r"(?:['-]?(?:[dt][aeäə]n?|n?[dt][aeäə]n?|[nyýğg]?[aeəä]|[ny]?[ıiuüy]n?|n[ıiuüy]n?|n?[ıiuüy]n|ning|ga|"
    r"dagi|qa|ka"
    r"|s[ıiuüy]n?|s[ıiuü]n[ıiuü]n?|s[ıi]nd[aə]|si|sini|ta|tadan|tasi|nda|nde|ndan|nden|[dt][aeə]k[iı]))?"
)
_TURKIC_CYRILLIC = re.compile(
    r"(?:['-]?(?:[ыіиүу]?н[чш][ыіиүу](?:с[ыіиү])?|ш[ыі]|ч[ыиүу]))?"
    r"(?:л[аеөэ]г[аеө]н|л[аеоө]р[ыиі]?|т[аеө]г[аеөэн]+|[дт][аеө]й|та|[лдт][ыіиуү][қкғг])?"
    r"(?:['-]?(?:[дтн]?[дт][аеоөэ]н?|н[ае]н|[гғқк][аеоөэ]|н[ыіиуү][нң]?|[дт][ыіиуү][нң]|[ыіиуү]н?|"
    r"с[ыіиуү]н?|[дт][ыіиуү]"
    r"|с[ыіиуү]н[еады]+|нинг|ни|га|да|дан|си))?"
)
_TURKIC_ORDINAL = re.compile(r"^['-]?(?:[ıiuüy]?n[cj][ıiuüy]|i?nchi|[ыіиүу]?н[чш][ыіиүу]|ш[ыі]|ч[ыиүу])")

_RU_FORMS = {
    0: "ноль нуль нуля ноля",
    1: "один одна одно одного одной одному одним одном одну",
    2: "два две двух двум двумя двое двоих",
    3: "три трех трем тремя трое троих",
    4: "четыре четырех четырем четырьмя четверо четверых",
    5: "пять пяти пятью пятеро пятерых",
    6: "шесть шести шестью шестеро",
    7: "семь семи семью семеро",
    8: "восемь восьми восемью восьмью",
    9: "девять девяти девятью",
    10: "десять десяти десятью",
    11: "одиннадцать одиннадцати одиннадцатью",
    12: "двенадцать двенадцати двенадцатью",
    13: "тринадцать тринадцати тринадцатью",
    14: "четырнадцать четырнадцати четырнадцатью",
    15: "пятнадцать пятнадцати пятнадцатью",
    16: "шестнадцать шестнадцати шестнадцатью",
    17: "семнадцать семнадцати семнадцатью",
    18: "восемнадцать восемнадцати восемнадцатью",
    19: "девятнадцать девятнадцати девятнадцатью",
    20: "двадцать двадцати двадцатью",
    30: "тридцать тридцати тридцатью",
    40: "сорок сорока",
    50: "пятьдесят пятидесяти пятьюдесятью",
    60: "шестьдесят шестидесяти шестьюдесятью",
    70: "семьдесят семидесяти семьюдесятью",
    80: "восемьдесят восьмидесяти",
    90: "девяносто девяноста",
    100: "сто ста",
    200: "двести двухсот двумстам",
    300: "триста трехсот тремстам",
    400: "четыреста четырехсот",
    500: "пятьсот пятисот",
    600: "шестьсот шестисот",
    700: "семьсот семисот",
    800: "восемьсот восьмисот",
    900: "девятьсот девятисот",
}
_RU_ORDINAL_STEMS = {
    1: "перв",
    2: "втор",
    3: "трет",
    4: "четверт",
    5: "пят",
    6: "шест",
    7: "седьм",
    8: "восьм",
    9: "девят",
    10: "десят",
    11: "одиннадцат",
    12: "двенадцат",
    13: "тринадцат",
    14: "четырнадцат",
    15: "пятнадцат",
    16: "шестнадцат",
    17: "семнадцат",
    18: "восемнадцат",
    19: "девятнадцат",
    20: "двадцат",
    30: "тридцат",
    40: "сороков",
    50: "пятидесят",
    60: "шестидесят",
    70: "семидесят",
    80: "восьмидесят",
    90: "девяност",
    100: "сот",
}
RU_ORDINAL_ENDING = re.compile(
    r"(?:ый|ой|ий|ая|ое|ье|ья|ого|его|ьего|ому|ьему|ым|ьим|ом|ем|ьем|ую|ью|ые|ьи|ых|ьих|ыми)"
)
RU_ORDINALS = {stem: value for value, stem in _RU_ORDINAL_STEMS.items()}

_HU = _table(
    "nulla egy kettő/két három/harma négy/negye öt/ötö hat/hato hét/hete nyolc/nyolca kilenc/kilence",
    "tíz/tizen/tize húsz/huszon/husza harminc/harminca negyven/negyvene ötven/ötvene hatvan/hatvana "
    "hetven/hetvene "
    "nyolcvan/nyolcvana kilencven/kilencvene",
    "száz/száza",
)
HU_IRREGULAR_ORDINALS = {"első": 1, "második": 2}
EN_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "eleventh": 11,
    "twelfth": 12,
    "thirteenth": 13,
    "fourteenth": 14,
    "fifteenth": 15,
    "sixteenth": 16,
    "seventeenth": 17,
    "eighteenth": 18,
    "nineteenth": 19,
    "twentieth": 20,
    "thirtieth": 30,
    "fortieth": 40,
    "fiftieth": 50,
    "sixtieth": 60,
    "seventieth": 70,
    "eightieth": 80,
    "ninetieth": 90,
    "hundredth": 100,
}
_EN_TEENS = {
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}

# Words that look like an inflected number word: "for", "under", "it flew".
NOT_NUMBERS = frozenset(
    [
        "üçün",
        "için",
        "үшін",
        "үчүн",
        "uchun",
        "учун",
        "üçin",
        "altında",
        "altından",
        "altına",
        "altını",
        "altındakı",
        "altındaki",
        "altyn",
        "altyndan",
        "onu",
        "ona",
        "onun",
        "onda",
        "ondan",
        "onlar",
        "onları",
        "onların",
        "onlara",
        "бірге",
        "бірақ",
        "бирге",
        "бирок",
        "birga",
        "birge",
        "birlikte",
        "birlikdə",
        "bilen",
        "birəm",
        "uchdi",
        "uchgan",
        "uchadi",
        "üzə",
        "üzər",
        "yüzünden",
        "yüzüne",
        "yüzü",
        "hatan",
        "hatás",
        "hatott",
        "hatni",
        "hatja",
        "oni",
    ]
)

NUMBER_WORDS: dict[str, NumberWords] = {
    "az": NumberWords(
        _table("sıfır bir iki üç dörd beş altı yeddi səkkiz doqquz",
               "on iyirmi otuz qırx əlli altmış yetmiş səksən doxsan", "yüz"),
        _scales("min", "milyon/mln", "milyard/mlrd", "trilyon/trln"),
        _TURKIC_LATIN, _TURKIC_ORDINAL, frozenset({"bir", "altı", "on", "min"}), glued=True,
    ),
    "kk": NumberWords(
        _table("нөл бір екі үш төрт бес алты жеті сегіз тоғыз",
               "он жиырма отыз қырық/қырқ елу алпыс жетпіс сексен тоқсан", "жүз"),
        _scales("мың", "миллион/млн", "миллиард/млрд", "триллион/трлн"),
        _TURKIC_CYRILLIC, _TURKIC_ORDINAL, frozenset({"бір", "жүз", "он"}),
    ),
    "ky": NumberWords(
        _table("нөл бир эки үч төрт беш алты жети сегиз тогуз",
               "он жыйырма отуз кырк элүү алтымыш жетимиш сексен токсон", "жүз"),
        _scales("миң", "миллион/млн", "миллиард/млрд", "триллион/трлн"),
        _TURKIC_CYRILLIC, _TURKIC_ORDINAL, frozenset({"бир", "жүз", "он", "жети"}),
    ),
    "tr": NumberWords(
        _table("sıfır bir iki üç dört/dörd beş altı yedi sekiz dokuz",
               "on yirmi otuz kırk elli altmış yetmiş seksen doksan", "yüz"),
        _scales("bin", "milyon/mn/mln", "milyar/mlr", "trilyon/trln"),
        _TURKIC_LATIN, _TURKIC_ORDINAL, frozenset({"bir", "yüz", "altı", "yedi", "on", "bin", "kırk"}),
            glued=True,
    ),
    "uz": NumberWords(
        _table("nol/нол bir/бир ikki/икки uch/уч to'rt/тўрт besh/беш olti/олти yetti/етти sakkiz/саккиз "
            "to'qqiz/тўққиз",
               "o'n/ўн yigirma/йигирма o'ttiz/ўттиз qirq/қирқ ellik/эллик oltmish/олтмиш yetmish/етмиш "
               "sakson/саксон to'qson/тўқсон", "yuz/юз"),
        _scales("ming/минг", "million/миллион/mln/млн", "milliard/миллиард/mlrd/млрд",
            "trillion/триллион/trln/трлн"),
        re.compile(f"(?:{_TURKIC_LATIN.pattern})|(?:{_TURKIC_CYRILLIC.pattern})"), _TURKIC_ORDINAL,
        frozenset({"bir", "бир", "yuz", "юз", "yetti", "етти"}),
    ),
    "tk": NumberWords(
        _table("nol bir iki üç dört/dörd bäş alty ýedi sekiz dokuz",
               "on ýigrimi otuz kyrk elli altmyş ýetmiş segsen togsan", "ýüz"),
        _scales("müň", "million/milion/mln", "milliard/mlrd", "trillion/trln"),
        _TURKIC_LATIN, _TURKIC_ORDINAL, frozenset({"bir", "ýüz", "on"}),
    ),
    "hu": NumberWords(
        _HU, _scales("ezer/ezre", "millió/mio", "milliárd/mrd", "billió"),
        re.compile(r"(?:dik)?(?:a?[nktl]?|[áae]?[bnr][aeáé][nkl]?|[oöe]t|szor|szer|ször|[éá]?t[óő]l|"
            r"n[aeáé][kl]|v[ae]l|"
                   r"[aeo]n|nyi(?:an|en)?|[ae]?i|éves|[aeo]k|[aeo]s|en|an|ig|es|os|ös|as)?"),
        re.compile(r"^dik"),
        frozenset({"egy", "hat", "hét", "száz", "hato", "hete", "ötö", "öt", "negye", "harma"}), glued=True,
    ),
    "ru": NumberWords(
        {form: value for value, forms in _RU_FORMS.items() for form in forms.split()},
        _scales("тысяч/тыс", "миллион/млн", "миллиард/млрд", "триллион/трлн"),
        re.compile(r"(?:[аиеую]|ами|ах|ов|ам|ом|ью|ей|летн\w+|процентн\w+|кратн\w+|этажн\w+|дневн\w+|"
            r"часов\w+|метров\w+)?"),
        re.compile(r"^(?!)"), frozenset({"один", "одна", "одно", "одного", "одной", "одному", "одним",
            "одном", "одну",
                                         "семью", "сорока", "ста"}), glued=True,
    ),
    "en": NumberWords(
        {**_table("zero one two three four five six seven eight nine",
                  "ten twenty thirty forty fifty sixty seventy eighty ninety", "hundred"), **_EN_TEENS},
        _scales("thousand/k", "million/mln/mn/m", "billion/bn/bln", "trillion/tn/trn"),
        re.compile(r"(?:s|'s|th|ths)?"), re.compile(r"^th"), frozenset({"one", "k", "m"}),
    ),
}  # fmt: skip
