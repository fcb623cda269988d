"""Words that bound or soften a number: "more than 50", "elliden fazla", "не более 50", "около 50".

A negated comparison is the opposite bound ("no more than" is "at most"), so these cues are tried first.
"""

from __future__ import annotations

import re
from typing import Literal

Relation = Literal["=", ">", "<", "~"]
Cues = list[tuple[Relation, str]]

# Cues right before a number and cues right after it (case endings have been skipped by then), the first that
# fits counts.
_BEFORE: dict[str, Cues] = {
    "en": [("<", r"(?:no|not) (?:more|greater|higher) than|(?:not|\w+n't) exceed(?:ing)?|never more than"),
           (">", r"(?:no|not) (?:less|fewer|lower) than"),
           (">", "more than|over|above|at least|upwards of|exceed(?:s|ed|ing)?|a minimum of|minimum"),
           ("<", "less than|fewer than|under|below|at most|up to|a maximum of|maximum|as many as|as much as"),
           ("~", "about|around|some|nearly|almost|roughly|approximately|close to")],
    "ru": [("<", r"не (?:более|больше|свыше|выше)(?:,? чем)?|не превыша\w+|не превыс\w+"),
           (">", r"не (?:менее|меньше|ниже)(?:,? чем)?"),
           (">", r"(?:более|больше|выше)(?:,? чем)?|свыше|как минимум|минимум|по меньшей мере|по крайней "
           r"мере|превыша\w+|превыс\w+"),
           ("<", r"(?:менее|меньше|ниже)(?:,? чем)?|максимум|самое большее|до"),
           ("~", "около|примерно|почти|порядка|приблизительно")],
    "hu": [("<", "nem (?:több|nagyobb),? mint|nem halad\\w* meg a"), (">", "nem (?:kevesebb|kisebb),? mint"),
           (">", r"(?:több|nagyobb),? mint|legalább|minimum|meghalad\w+ az?"),
           ("<", r"(?:kevesebb|kisebb),? mint|legfeljebb|legföljebb|maximum|alig|akár"),
           ("~", "mintegy|körülbelül|kb|közel|csaknem|nagyjából")],
    "tr": [(">", "en az|asgari|minimum|en azından"), ("<", "en fazla|en çok|azami|maksimum"),
           ("~", "yaklaşık|takriben|neredeyse|aşağı yukarı")],
    "az": [(">", "ən azı|azı|minimum|ən azından"), ("<", "ən çoxu|ən çox|maksimum"), ("~",
    "təxminən|təqribən|az qala")],
    "kk": [(">", "кемінде|ең кемі|ең аз дегенде|кем дегенде"), ("<", "ең көбі|ең көп дегенде|көп дегенде"),
           ("~", "шамамен|жуық|дерлік")],
    "ky": [(">", "кеминде|эң аз дегенде|жок дегенде|эң кеминде"), ("<", "эң көп дегенде|эң көбү|көп дегенде"),
           ("~", "болжол менен|болжолдуу|дээрлик")],
    "uz": [(">", "kamida|eng kamida|камида|энг камида"), ("<", "ko'pi bilan|eng ko'pi bilan|кўпи билан|энг "
        "кўпи билан"),
           ("~", "taxminan|qariyb|salkam|тахминан|қарийб")],
    "tk": [(">", "azyndan|iň azyndan|iň az"), ("<", "köp bolanda|iň köp|iň köp bolanda"), ("~",
    "takmynan|tas")],
}  # fmt: skip
_AFTER: dict[str, Cues] = {
    "tr": [("<", r"(?:fazla|çok|üzerinde|üstünde) (?:değil|olmayan|olmamak)|(?:aş|(?:üzerine|üstüne) çık)"
           r"a?m(?:a(?:yan|z|yacak|d[ıi]|m[ıi]ş|makta)|ıyor)|geçe?m(?:e(?:yen|z|yecek|di|miş|mekte)|iyor)|"
           r"(?:fazla|çok)(?:sı|u)?(?: \w+)? \w+m[ae](?:d[ıi]|m[ıi]ş)|(?<=[yn][ae] )(?:kadar|dek|değin)"),
           (">", "az (?:değil|olmayan|olmamak)"), (">", "fazla|aşkın|çok|üzerinde|üstünde|aşan|aşıyor"),
           ("<", "az|altında"),
           ("~", "civarında|kadar|yakın|dolayında")],
    "az": [("<", "(?:çox|artıq) (?:deyil|olmayan|olmamaq)|aşmayan|aşmır|aşmad|keçməyən|keçmir|keçməd|"
           "(?<=[yn][aə] )qədər"), (">", "az (?:deyil|olmayan|olmamaq)"),
           (">", "çox|artıq|yuxarı|aşan|aşır"), ("<", "az|aşağı"), ("~", "yaxın|qədər")],
    "kk": [("<", "(?:артық|көп) емес|аспай|аспады|аспаған|дейін"), (">", "(?:аз|кем) емес"),
           (">", "астам|артық|көп|жоғары|асып|асады"), ("<", "аз|кем|төмен"), ("~", "жуық|шақты|таяу|жақын")],
    "ky": [("<", "(?:ашык|көп) эмес|ашпай|ашпаган|ашпады|чейин"), (">", "(?:аз|кем) эмес"),
           (">", "ашык|ашуун|көп|көбүрөөк|жогору|ашат"), ("<", "аз|кем|төмөн"), ("~", "жакын|чакты|чамалуу")],
    "uz": [("<", "(?:ortiq|ko'p|oshiq) emas|oshmay|oshmagan|(?:ортиқ|кўп) эмас|ошмай"), (">",
    "(?:kam|oz) emas|(?:кам|оз) эмас"),
           (">", "ortiq|ko'p|oshiq|ko'proq|ziyod|ортиқ|кўп|зиёд"), ("<", "kam|kamroq|кам"),
           ("~", "yaqin|chamasi|яқин")],
    "tk": [("<", "(?:köp|artyk) däl|aşmaýa|geçmeýä|çenli"), (">", "(?:az|kem) däl"),
           (">", "gowrak|köp|artyk|köpräk"), ("<", "az|azrak|pes"), ("~", "golaý|çemesi|töweregi")],
    "hu": [(">", "fölött|felett|több|feletti"), ("<", "alatt|alatti"), ("~", "körül|körüli")],
    "en": [(">", "or more|and more|and over|and above"), ("<", "or less|or fewer|at most"), ("~", "or so")],
    "ru": [("<", "и менее|максимум"), (">", "и более|и больше")],
}  # fmt: skip


def _compile(cues: dict[str, Cues], template: str) -> dict[str, list[tuple[Relation, re.Pattern[str]]]]:
    return {
        language: [(relation, re.compile(template.format(words))) for relation, words in own]
        for language, own in cues.items()
    }


_BEFORE_PATTERNS = _compile(_BEFORE, r"(?:^|[^\w])(?:{})(?:\s+(?:a|az|the))?[\s$€£₺₽]*$")
# After the number: its own ending, at most two counted words, then the cue.
_AFTER_PATTERNS = _compile(
    _AFTER, r"^\s*[%$€£₺₽₸₼]?['’-]?\w{{0,5}}\s+(?:\w+\s+){{0,2}}?(?:{})(?:$|[^\w]|[\wäə]{{1,3}}(?:$|\W))"
)


def relation_around(before: str, after: str, language: str) -> Relation:
    """How the number between ``before`` and ``after`` (lower case) is meant: equal, above, below or about."""
    for relation, pattern in _BEFORE_PATTERNS.get(language, []):
        if pattern.search(before):
            return relation
    for relation, pattern in _AFTER_PATTERNS.get(language, []):
        if pattern.match(after):
            return relation
    return "="


# Negated bounds said without the negation, which a reader of cues takes for a denial.
_PLAIN: dict[str, list[tuple[re.Pattern[str], str]]] = {
    "en": [
        (re.compile(r"\b(?:no|not) (?:more|greater|higher) than\b", re.I), "at most"),
        (re.compile(r"\b(?:no|not) (?:less|fewer|lower) than\b", re.I), "at least"),
        (re.compile(r"\b(?:does|do|did|will|must|may|can)(?: not|n['’]t) exceed\b", re.I), "is at most"),
    ],
    "ru": [
        (re.compile(r"\bне (?:более|больше|свыше)(?:,? чем)?(?= )", re.I), "максимум"),
        (re.compile(r"\bне (?:менее|меньше)(?:,? чем)?(?= )", re.I), "минимум"),
    ],
    "hu": [
        (re.compile(r"\bnem (?:több|nagyobb),? mint\b", re.I), "legfeljebb"),
        (re.compile(r"\bnem (?:kevesebb|kisebb),? mint\b", re.I), "legalább"),
    ],
}


def plain_bounds(text: str, language: str) -> str:
    """``text`` with "no more than" said as "at most", and its like in Russian and Hungarian."""
    for pattern, plain in _PLAIN.get(language, []):
        text = pattern.sub(plain, text)
    return text
