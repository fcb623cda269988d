"""What an outlet puts around its text: datelines, agency names, "X reports that" formulas, labels such as
"Title:".

Each function works on single-line canonical text and returns where content begins or which ranges to delete.
Patterns ask for the shape of a dateline (place, date, agency, dash), not for one corpus' names; agency and
city lists are only consulted where the shape alone could be content.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from classifiers.text.casefold import fold_case

_AGENCIES = (
    "AA|AFP|AP|Reuters|Anadolu|Anadolu Agency|Anadolu Ajansı|DHA|İHA|IHA|TRT|TASS|ТАСС|Interfax|Интерфакс"
    "|РИА Новости|RIA Novosti"
    "|РИА|REGNUM|Sputnik|Спутник|AZƏRTAC|AZERTAC|АЗЕРТАДЖ|APA|АПА|Trend|Тренд|Report|Turan|ҚазАқпарат"
    "|Қазақпарат|KAZINFORM"
    "|Kazinform|Казинформ|KazTAG|КазТАГ|QazAqparat|Zakon|Tengrinews|Kabar|Кабар|24\\.kg|AKIpress|АКИpress"
    "|АКИПРЕСС|Kaktus"
    "|O'zA|УзА|UzA|Dunyo|Дунё|TDH|ТДХ|Türkmenistan Habarlary|MTI|Euronews|BBC|CNN|DPA|Xinhua|Синьхуа|UPI"
    "|Bloomberg|UNB|ANI|PTI"
)
_CITIES = (
    "Bakı|Baku|Баку|Gəncə|Sumqayıt|Naxçıvan|Astana|Астана|Almaty|Алматы|Nur-Sultan|Нұр-Сұлтан|Shymkent"
    "|Шымкент|Bishkek|Бишкек|Osh|Ош"
    "|Ankara|Анкара|İstanbul|Istanbul|Стамбул|İzmir|Izmir|Tashkent|Toshkent|Ташкент|Тошкент|Samarqand"
    "|Samarkand|Самарканд|Ashgabat"
    "|Aşgabat|Ашхабад|Ашгабат|Budapest|Будапешт|Moscow|Москва|Мәскеу|Moskva|Brussels|Брюссель|Brüsszel"
    "|London|Лондон|Paris|Париж"
    "|Washington|Вашингтон|New York|Нью-Йорк|Berlin|Берлин|Geneva|Женева|Kyiv|Киев|Beijing|Пекин|Tehran"
    "|Тегеран|Tbilisi|Тбилиси|Tiflis"
    "|Jerusalem|Vienna|Вена|Dushanbe|Душанбе|Şuşa|Шуша|Lefkoşa|Diyarbakır|Antalya|Debrecen|Szeged"
)
_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
    "|янв(?:аря)?|фев(?:раля)?|мар(?:та)?|апр(?:еля)?|мая|июн[ья]?|июл[ья]?|авг(?:уста)?|сен(?:тября)?"
    "|окт(?:ября)?|ноя(?:бря)?|дек(?:абря)?"
    "|yanvar|fevral|mart|aprel|may|iyun|iyul|avqust|avgust|sentyabr|oktyabr|noyabr|dekabr|sentabr|ýanwar"
    "|fewral|maý|iýun|iýul|awgust|sentýabr"
    "|oktýabr|noýabr|ocak|şubat|nisan|mayıs|haziran|temmuz|ağustos|eylül|ekim|kasım|aralık"
    "|қаңтар|ақпан|наурыз|сәуір|мамыр|маусым|шілде|тамыз|қыркүйек|қазан|қараша|желтоқсан"
    "|январь|февраль|март|апрель|май|июнь|июль|август|сентябрь|октябрь|ноябрь|декабрь"
    "|január|február|március|április|május|június|július|augusztus|szeptember|október|november|december"
)
_WEEKDAYS = r"(?:, ?\p{Ll}{3,12})?"
_NAME = r"\p{Lu}[\p{L}'.-]{0,30}"
_PLACE = rf"{_NAME}(?: {_NAME}){{0,3}}(?:, {_NAME}(?: {_NAME}){{0,2}})?"
_DATE = (
    rf"(?:(?i:(?:{_MONTHS})\.? \d{{1,2}}(?:, ?\d{{4}})?|(?:\d{{4}}\.? )?(?:{_MONTHS})\.? \d{{1,2}}\.?"
    rf"|\d{{1,2}}[- .]{{0,2}}(?:nji |njy |ші |шы )?(?:{_MONTHS})\.?(?:,? \d{{4}}\.?)?)"
    rf"|\d{{1,2}}\.\d{{1,2}}\.\d{{2,4}}){_WEEKDAYS}"
)
_ANY_AGENCY = r"\p{Lu}[\p{L}'.\d-]{1,20}(?: \p{Lu}[\p{L}'-]{1,20}){0,2}"
_IN_MARKS = rf"(?:\((?:{_ANY_AGENCY})\)|/ ?(?:{_ANY_AGENCY}) ?/)"
_DASH = r" ?- ?"

_DATELINES = tuple(
    regex.compile(pattern)
    for pattern in (
        # "BAKU, March 3 (Agency) -", "Toshkent, 12-mart /O'zA/.", "Astana. 12 наурыз. АГЕНТТІК -", "МОСКВА, 5
        # мар - РИА Новости."
        rf"{_PLACE}[,.]? ?{_DATE}[,.]? ?{_IN_MARKS}(?:{_DASH}|[.:,] ?| )",
        rf"{_PLACE}[,.]? {_DATE}[,.]? (?:{_ANY_AGENCY}){_DASH}",
        rf"{_PLACE}[,.]? {_DATE}[,.]?{_DASH}(?:{_AGENCIES})[.:,]? ",
        rf"(?:{_CITIES}|\p{{Lu}}[\p{{Lu}}' -]{{3,30}})[,.]? {_DATE}[,.]?{_DASH}",
        # "ANKARA (AA) -", "ALMATY -"
        rf"(?:{_CITIES}|\p{{Lu}}[\p{{Lu}}' -]{{3,30}}|{_PLACE}(?= ?[(/](?:{_AGENCIES})[)/])) "
        rf"?{_IN_MARKS}(?:{_DASH}|[.:] ?)",
        rf"(?i:{_CITIES}),? - ?(?=\p{{Lu}})",
        # "(Reuters) -", "/Kabar/."
        rf"[(/](?:{_AGENCIES})[)/](?:{_DASH}|[.:] ?| )",
        rf"(?:{_AGENCIES})[,.] {_DATE}[,.]?{_DASH}?",
    )
)

# The end of a word that names a site, as outlets write their names ("Name.Az", "name.kz").
_SITE_DOMAIN = regex.compile(r"\.(?i:com\.tr|az|kz|kg|uz|tm|tr|ru|hu|com|org|net|info|tv)(?![a-z])")
_SITE_NAME = regex.compile(r"(?r)(?<![\p{L}\p{N}.@/-])[\p{L}\d][\p{L}\d-]{1,30}")

_LABEL = regex.compile(
    r"(?:(?i:title|headline|abstract|article|news|content|body|text|başlıq|məzmun|xəbər|məqalə|başlık|haber"
    r"|içerik|metin|заголовок|текст|новость"
    r"|статья|содержание|тақырып|мәтін|жаңалық|мазмұны|тема|аталышы|баш сөз|sarlavha|maqola|matn|yangilik"
    r"|mavzu|sözbaşy|makala|habar|cím|cikk|szöveg|hír)"
    r" ?: ?)"
)
# What follows a site's name where the outlet names itself as the source.
_AFTER_SITE = regex.compile(
    # az: "X Y-ə istinadən bildirir ki,", "X xəbər verir ki,", "X reports", "X хабарлайды"
    r"(?:\S{0,40}+(?: \S{1,40}+){0,4}? (?:istinadən|istinadla) (?:xəbər verir|bildirir|məlumat verir|yazır"
    r"|qeyd edir)(?: ki)?,? ?"
    r"|(?:-\p{Ll}{1,4})? (?:xəbər verir|bildirir|məlumat verir|yazır)(?: ki)?,? ?"
    # az: "from the ministry to X-a (given news)"
    r"|-?(?:ın|in|nın|nin)?-?y?[aə] (?=verilən (?:məlumat|xəbər)))"
)
# az: "AGENCY xəbər verir ki,"
_AGENCY_REPORTS = regex.compile(rf"(?<!\w)(?:{_AGENCIES})(?:-\p{{Ll}}{{1,4}})? xəbər verir(?: ki)?,? ?")
_AZERBAIJANI_REPORTS = " xəbər verir"
# kk, ky, uz, ru: ", деп хабарлайды X", "деп билдирет X", "deb xabar beradi X", ", сообщает X"
_BEFORE_NAME = regex.compile(
    r"(?r),? ?(?:-? ?деп (?:хабарлайды|хабарлады|жазды|жазады|билдирет|билдирди|кабарлайт)|deb xabar "
    r"ber(?:adi|di|moqda)"
    r"|(?:сообщает|передает|пишет)) "
)
_OWN_AGENCY = regex.compile(
    r"(?:ҚазАқпарат|Қазақпарат|Казинформ|Kazinform|Кабар|AKIpress|O'zA|УзА)(?: ХАА| агенттігі)?(?!\w)"
)
_BEFORE_SIGNATURE = regex.compile(r"(?r)[ ,;(/-]{0,4}")

_AFTER_TITLE = regex.compile(r"['\")\]]{0,3}(?:[.!?:|]{1,3} ?|(?: ?- ?)| (?=['\"(]{0,2}[\p{Lu}\p{N}])|$)")
_SENTENCE_END = regex.compile(r"[.!?:]['\")]{0,2} ?$")


def dateline_end(text: str, start: int) -> int:
    """Where the content begins after labels and datelines that stand at ``start``; ``start`` itself if there
    are none."""
    while True:
        end = start
        for pattern in (_LABEL, *_DATELINES):
            match = pattern.match(text, end)
            if match and match.end() < len(text):
                end = match.end()
        while end < len(text) and text[end] == " ":
            end += 1
        if end == start:
            return start
        start = end


def title_end(text: str, start: int, title: str) -> int:
    """Where the content begins after ``title`` (canonical) at ``start``, if the text repeats it there.

    Letters and digits are compared without case; the title must be followed by punctuation or by a new
    sentence, so that a first sentence which begins with the same words stays whole.
    """
    wanted = [character for character in fold_case(title, "en") if character.isalnum()]
    if len(wanted) < 8:
        return start
    position = start
    for character in wanted:
        while position < len(text) and not text[position].isalnum():
            position += 1
        if position == len(text) or fold_case(text[position], "en") != character:
            return start
        position += 1
    rest = _AFTER_TITLE.match(text, position)
    return rest.end() if rest and rest.end() < len(text) else start


def find_attributions(text: str) -> tuple[list[tuple[int, int]], list[tuple[int, str]]]:
    """Ranges of "outlet X reports that" formulas and signatures, and the capitals that sentences need in
    their place.

    Returns ``(ranges to delete, (position, capital) replacements)``.
    """
    ranges: list[tuple[int, int]] = []
    sites: list[tuple[int, int]] = []
    for domain in _SITE_DOMAIN.finditer(text):
        if ranges and domain.start() < ranges[-1][1]:
            continue
        name = _SITE_NAME.match(text, max(0, domain.start() - 40), domain.start())
        if name:
            formula = _site_formula(text, name.start(), domain.end())
            ranges += formula
            if not formula:
                sites.append((name.start(), domain.end()))
    ranges += _signatures(text, sites)
    if _AZERBAIJANI_REPORTS in text:
        ranges += [match.span() for match in _AGENCY_REPORTS.finditer(text)]
    if "деп " in text:
        for agency in _OWN_AGENCY.finditer(text):
            before = _BEFORE_NAME.match(text, max(0, agency.start() - 40), agency.start())
            if before:
                ranges.append((before.start(), agency.end()))
    ranges = [(start, end) for start, end in ranges if end - start < len(text)]
    return ranges, [capital for start, end in ranges for capital in _capital(text, start, end)]


def _site_formula(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The formula around a site's name at ``start`` to ``end``, as at most one range."""
    after = _AFTER_SITE.match(text, end)
    if after:
        return [(start, after.end())]
    before = _BEFORE_NAME.match(text, max(0, start - 40), start)
    if before:
        return [(before.start(), end)]
    return []


def _signatures(text: str, sites: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sites that close the text, as one range."""
    closing = len(text)
    for start, end in reversed(sites):
        if closing - end > 3 or text[end:closing].strip(" ).,/"):
            break
        before = _BEFORE_SIGNATURE.match(text, max(0, start - 8), start)
        closing = before.start() if before else start
    return [(closing, len(text))] if 0 < closing < len(text) else []


def _capital(text: str, start: int, end: int) -> list[tuple[int, str]]:
    """The capital that a sentence needs when the formula at ``start`` to ``end`` that opened it goes."""
    opens_sentence = start == 0 or _SENTENCE_END.search(text, max(0, start - 4), start)
    if not opens_sentence or end == len(text) or not text[end].islower():
        return []
    # The formulas that open a sentence are Azerbaijani.
    capital = "İ" if text[end] == "i" else text[end].upper()
    return [(end, capital)] if len(capital) == 1 else []


def find_outlet(text: str, outlet: str) -> list[tuple[int, int]]:
    """Ranges of the outlet's own name (canonical), wherever it stands as a word, with a case ending after '
    or -."""
    name = outlet.strip()
    if len(name) < 3:
        return []
    pattern = regex.compile(
        rf"(?<![\p{{L}}\p{{N}}])(?:['\"(/] ?)?{regex.escape(name)}(?:['-]\p{{Ll}}{{1,5}})?(?: "
        rf"?['\")/])?(?![\p{{L}}\p{{N}}])",
        regex.IGNORECASE,
    )
    return [match.span() for match in pattern.finditer(text) if match.end() - match.start() < len(text)]
