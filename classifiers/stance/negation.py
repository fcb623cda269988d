"""Negation and opposite words in nine languages: cues, not a parse.

``negated`` counts cues in a text. ``opposites`` finds a word in one text whose opposite stands in the other
("rose" and "fell"). Both are evidence for the stance head and are shown beside its answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from classifiers.text import fold_case

_APOSTROPHES = str.maketrans(dict.fromkeys("ʻʼ’‘`", "'"))
_CUES: dict[str, str] = {
    "en": r"\b(?:not|no|never|nobody|none|neither|nor|nothing|without|cannot|\w+n't|refus\w+|den(?:y|ied|"
    r"ies|ying)|"
    r"reject\w*|fail(?:ed|s|ing)? to|unable|lack(?:s|ed)?|far from|rul(?:e|ed|es|ing) out)\b",
    "ru": r"\b(?:не|нет|ни|никогда|никто|ничего|нельзя|без|невозможно|неспособ\w+|отказ\w+|отверг\w+|"
    r"опроверг\w+|"
    r"отриц\w+|никак\w*|отсутств\w+)\b",
    "hu": r"\b(?:nem|ne|nincs\w*|sem|soha|senki|semmi\w*|nélkül|sincs\w*|tagad\w*|elutasít\w*|cáfol\w*|"
    r"megtagad\w*)\b",
    "tr": r"\b(?:değil\w*|yok(?:tu|tur|sa)?|hiç|hiçbir\w*|asla|reddet\w*|yalanla\w*|olmadan|olmaksızın)\b|"
    r"\w{2,}(?:m[ae]d[ıi]\w*|m[ae]m[ıi]ş\w*|m[ıiuü]yor\w*|m[ae]z(?:d[ıi]|lar|ler|s[ae])?|m[ae]yac[ae]k\w*|"
    r"m[ae]yec[ae]k\w*|m[ae]y[ae]n\w*|m[ae]d[ae]n|m[ae]d[ıi]ğ\w*|m[ae]m[ae]k\w*|m[ae]m[ae]l[ıi]\w*|"
    r"m[ae]mas[ıi]\w*|m[ae]mesi\w*)\b",
    "az": r"\b(?:deyil\w*|yox\w*|heç|inkar\w*|rədd|təkzib|olmadan)\b|"
    r"\w{2,}(?:m[aə]d[ıi]\w*|m[aə]mış\w*|m[aə]miş\w*|m[ıiuü]r(?:am|ıq|lar|lər|ik|əm|san|sən)?|"
    r"m[aə]y[aə]c[aə][kğq]\w*|"
    r"m[aə]z(?:lar|lər|dı|di)?|m[aə]y[aə]n\w*|m[aə]d[aə]n|m[aə]m[aə][kğq]\w*|m[aə]m[aə]s[ıi]\w*|"
    r"m[aə]y[ıi]b\w*)\b",
    "kk": r"\b(?:емес\w*|жоқ\w*|еш|ешқандай|ешкім\w*|ешбір|ешқашан|бас тарт\w*|теріске|жоққа)\b|"
    r"\w{2,}(?:[мбп][ае]д[ыі]\w*|[мбп][ае]ғ[ае]н\w*|[мбп][ае]г[ае]н\w*|[мбп][ае]йд[ыі]\w*|[мбп][ае]й|"
    r"[мбп][ае]с\w{0,4}|[мбп][ае]у\w*)\b",
    "ky": r"\b(?:эмес\w*|жок\w*|эч|эчким\w*|эчкандай|баш тарт\w*|четке|төгүнд\w*)\b|"
    r"\w{2,}(?:[мбп][аеоө]д[ыиуү]\w*|[мбп][аеоө]г[аеоө]н\w*|[мбп][аеоө]йт\w*|[мбп][аеоө]й|"
    r"[мбп][аеоө]с\w{0,4}|[мбп]оо\w*|[мбп]өө\w*)\b",
    "uz": r"\b(?:emas\w*|yo'q\w*|hech|rad|inkor|эмас\w*|йўқ\w*|ҳеч|рад|инкор)\b|"
    r"\w{2,}(?:madi\w*|magan\w*|maydi\w*|mayapti\w*|maslik\w*|mas|may|mayman\w*|masdan|маган\w*|мади\w*|"
    r"майди\w*|маслик\w*|мас|май)\b",
    "tk": r"\b(?:däl\w*|ýok\w*|hiç|inkär|ret)\b|"
    r"\w{2,}(?:m[ae]d[iy]\w*|m[ae]nd[iy]r\w*|m[ae]ýär\w*|maýar\w*|m[ae]z\w{0,4}|m[aä]n|maja[kg]\w*|"
    r"mejek\w*|m[ae]dik\w*|m[ae]zl[iy]k\w*)\b",
}
# Ordinary words the verb endings above also fit.
_NOT_NEGATED: dict[str, frozenset[str]] = {
    "tr": frozenset(
        [
            "adamdan",
            "namaz",
            "temaz",
            "maddi",
            "hammadde",
            "tamamdı",
            "zamandan",
            "ekmeden",
            "tanımadan",
            "imzalama",
        ]
    ),
    "kk": frozenset(["алмас", "аспай", "бабай", "шабай", "абай", "малай", "қамау"]),
    "uz": frozenset(["olmas", "almas", "samaz", "may"]),
}
# Pairs of opposite stems; either side may carry endings.
_OPPOSITES: dict[str, str] = {
    "en": "rose:fell|increas:decreas|rising:falling|grew:shr|gain:lost|won:lost|win:lose|accept:reject|"
    "approv:reject|"
    "support:oppos|support:critic|open:clos|before:after|more:less|above:below|first:last|stay:leav|"
    "remain:leav|allow:ban|"
    "legal:illegal|success:fail|confirm:den|start:end|began:end|arriv:depart|enter:exit|high:low|"
    "better:worse|"
    "best:worst|prais:critic|young:old|early:late|north:south|east:west|agree:disagree|arrest:releas|"
    "alive:dead|"
    "possible:impossible|likely:unlikely|easy:difficult|safe:danger|join:leav|keep:cancel|strengthen:weak",
    "ru": "вырос:упал|выросл:снизил|рост:сниж|увелич:уменьш|увелич:сократ|повыс:пониз|повыс:сниз|"
    "выигр:проигр|побед:пораж|"
    "приня:отклон|одобр:отверг|поддерж:выступил против|открыл:закры|до:после|больше:меньше|более:менее|"
    "перв:последн|"
    "остат:уйти|остан:уход|остает:уход|разреш:запре|успе:провал|подтверд:опроверг|начал:законч|высок:низк|"
    "лучш:худш|"
    "хвал:критик|раньше:позже|север:юг|восток:запад|соглас:отказ|арест:освобод|жив:погиб|усил:ослаб|"
    "разжиг:погас|вступ:покин",
    "hu": "nőtt:csökken|növek:csökken|emelked:csökken|emelked:esett|nyer:veszt|győz:veszít|"
    "elfogad:elutasít|támogat:ellenz|"
    "nyit:zár|előtt:után|több:kevesebb|felett:alatt|első:utolsó|marad:távoz|enged:tilt|siker:kudar|"
    "megerősít:cáfol|"
    "kezd:fejez|magas:alacsony|jobb:rosszabb|dicsér:bírál|észak:dél|kelet:nyugat|letartóztat:szabad|"
    "él:halott|erős:gyeng|belép:kilép",
    "tr": "art:azal|arttı:düştü|yüksel:düş|kazan:kaybet|kabul:ret|kabul:reddet|onayla:reddet|"
    "destekle:karşı çık|aç:kapa|"
    "önce:sonra|fazla:az|üstünde:altında|ilk:son|kal:ayrıl|izin:yasak|başar:başarısız|doğrula:yalanla|"
    "başla:bitir|"
    "yüksek:düşük|iyi:kötü|öv:eleştir|erken:geç|kuzey:güney|doğu:batı|tutukla:serbest|güçl:zayıf|katıl:ayrıl",
    "az": "artı:azal|yüksəl:düş|qalib:məğlub|qazan:itir|qəbul:rədd|təsdiq:təkzib|dəstəklə:qarşı|aç:bağla|"
    "əvvəl:sonra|"
    "çox:az|yuxarı:aşağı|ilk:son|qal:tərk|icazə:qadağa|uğur:uğursuz|başla:bitir|yüksək:aşağı|yaxşı:pis|"
    "tərif:tənqid|"
    "şimal:cənub|şərq:qərb|həbs:azad|güc:zəif|qoşul:ayrıl",
    "kk": "арт:кемі|өс:төменде|өсті:азай|көбей:азай|жең:жеңіл|қабылда:қабылдамай|мақұлда:қабылдамай|"
    "қолда:қарсы|аш:жап|"
    "бұрын:кейін|дейін:кейін|көп:аз|жоғары:төмен|алғаш:соңғы|бірінші:соңғы|қал:кет|рұқсат:тыйым|"
    "сәтті:сәтсіз|раста:жоққа|"
    "баста:аяқта|жақсы:нашар|мақта:сына|солтүстік:оңтүстік|шығыс:батыс|қамау:босат|күш:әлсіре|қосыл:шық",
    "ky": "өс:төмөндө|көбөй:азай|арт:азай|жең:жеңил|кабыл:четке|колдо:каршы|ач:жап|мурда:кийин|чейин:кийин|"
    "көп:аз|"
    "жогору:төмөн|биринчи:акыркы|кал:кет|уруксат:тыюу|ийгилик:ийгиликсиз|ырасто:төгүнд|башта:аякта|"
    "жакшы:начар|мактa:сынд|"
    "түндүк:түштүк|чыгыш:батыш|кама:бошот|күч:алсыз|кошул:чык",
    "uz": "osh:kamay|o's:pasay|ko'pay:kamay|yut:yutqaz|g'olib:mag'lub|qabul:rad|tasdiq:rad|qo'lla:qarshi|"
    "och:yop|oldin:keyin|"
    "avval:keyin|ko'p:kam|yuqori:past|birinchi:oxirgi|ilk:so'nggi|qol:ket|ruxsat:taqiq|"
    "muvaffaqiyat:muvaffaqiyatsiz|"
    "boshla:tugat|yaxshi:yomon|maqta:tanqid|shimol:janub|sharq:g'arb|hibs:ozod|kuch:zaif|qo'shil:chiq",
    "tk": "art:azal|ýokarlan:peseld|köpel:azal|ýeň:ýeňil|kabul:ret|goldaý:garşy|aç:ýap|öň:soň|köp:az|"
    "ýokary:pes|birinji:soňky|"
    "ilkinji:soňky|gal:git|rugsat:gadagan|başla:tamamla|gowy:erbet|öw:tankyt|demirgazyk:günorta|"
    "gündogar:günbatar|"
    "tussag:boşat|güýç:gowşa|goşul:çyk",
}
_PATTERNS = {language: re.compile(pattern) for language, pattern in _CUES.items()}
_OPPOSITE_PATTERNS = {
    language: [
        tuple(re.compile(rf"\b{re.escape(stem)}\w*") for stem in pair.split(":")) for pair in pairs.split("|")
    ]
    for language, pairs in _OPPOSITES.items()
}


@dataclass(frozen=True, slots=True)
class Cue:
    """A negation cue as written, with code-point offsets into the text read."""

    text: str
    start: int
    end: int


def negated(text: str, language: str) -> list[Cue]:
    """Negation cues in ``text``; none for a language without a table."""
    pattern = _PATTERNS.get(language)
    if pattern is None:
        return []
    lowered = fold_case(text, language).translate(_APOSTROPHES)
    spared = _NOT_NEGATED.get(language, frozenset())
    return [
        Cue(text[m.start() : m.end()], m.start(), m.end())
        for m in pattern.finditer(lowered)
        if m.group() not in spared
    ]


def opposites(claim: str, evidence: str, language: str) -> list[tuple[str, str]]:
    """Words of the claim whose opposite, and not themselves, stand in the evidence; both texts in
    ``language``.
    """
    claim_text, evidence_text = fold_case(claim, language), fold_case(evidence, language)
    found: list[tuple[str, str]] = []
    for one, other in _OPPOSITE_PATTERNS.get(language, []):
        for here, there in ((one, other), (other, one)):
            mine, theirs = here.search(claim_text), there.search(evidence_text)
            if mine and theirs and not there.search(claim_text) and not here.search(evidence_text):
                found.append((mine.group(), theirs.group()))
    return found
