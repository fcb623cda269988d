"""Words of names that are translated, not transliterated: across languages they cannot be compared by sound.

Stems by language, for "North Korea", "State Council", "Security Council"; months and weekdays come from CLDR.
"""

from __future__ import annotations

from functools import cache

from babel.dates import get_day_names, get_month_names

from classifiers.text import fold_case

_STEMS = {
    "en": "north south east west state council court security united ministry minister president "
    "universit party committee department street road national international kingdom prime agency",
    "ru": "север южн юг восто запад государствен госсовет совет суд безопасност соедин министер министр "
    "президент университет парти комитет департамент улиц национал международ королевств агентств",
    "hu": "észak dél kelet nyugat állam tanács bíróság biztonság egyesült miniszter elnök egyetem párt "
    "bizottság utca nemzet királyság ügynökség",
    "tr": "kuzey güney doğu batı devlet konsey kurul mahkeme güvenlik birleşik bakan cumhurbaşkan başbakan "
    "üniversite parti komite cadde sokak ulusal uluslararası krallı ajans divan",
    "az": "şimal cənub şərq qərb dövlət şura məhkəmə təhlükəsizlik birləşmiş nazir prezident universitet "
    "partiya komitə küçə milli beynəlxalq krallı agentli ədalət",
    "kk": "солтүстік оңтүстік шығыс батыс мемлекет кеңес сот қауіпсіздік біріккен құрама министр президент "
    "университет партия комитет көше ұлттық халықаралық корольді агентті",
    "ky": "түндүк түштүк чыгыш батыш мамлекет кеңеш сот коопсуздук бириккен министр президент университет "
    "партия комитет көчө улуттук эл королдук агентти",
    "uz": "shimol janub sharq g'arb davlat kengash sud xavfsizlik birlashgan vazir prezident universitet "
    "partiya qo'mita ko'cha milliy xalqaro qirolli agentli",
    "tk": "demirgazyk günorta gündogar günbatar döwlet geňeş kazyýet howpsuzlyk birleşen ministr prezident "
    "uniwersitet partiýa komitet köçe milli halkara patyşaly agentli",
}  # fmt: skip
_APOSTROPHES = str.maketrans(dict.fromkeys("‘’ʻʼ`´", "'"))
_LONGEST_ACRONYM = 6


def is_translated(word: str, stem: str, language: str) -> bool:
    """Whether another language writes this name otherwise than by its sound: an acronym, a common word in
    a title, a month or a weekday.
    """
    if stem.isupper() and len(stem) <= _LONGEST_ACRONYM:
        return True
    lead = stem[:3]
    if len(lead) == 3 and lead.isupper():  # an acronym with its ending: "OIVga"
        return True
    folded = fold_case(word, language).translate(_APOSTROPHES)
    return folded.startswith(_stems(language))


@cache
def _stems(language: str) -> tuple[str, ...]:
    calendar = [
        fold_case(name, language)[:5]
        for context in ("format", "stand-alone")
        for names in (get_month_names("wide", context, language), get_day_names("wide", context, language))
        for name in names.values()
    ]
    return (*_STEMS.get(language, "").split(), *(name for name in calendar if len(name) >= 4))
