"""Opposite words in nine languages, by what they say: a claim in one language that prices rose meets
evidence in another that they fell.

Each line of a topic holds the beginnings of words for one side and, after the bar, for the other. ``_`` is a
blank; ``$`` says that nothing may follow. Only words that are seldom anything else stand here.
"""

from __future__ import annotations

import re
from functools import cache

Sides = tuple[re.Pattern[str], re.Pattern[str]]

TOPICS: dict[str, dict[str, str]] = {
    "rise": {
        "en": "rose$ risen$ rising increas grew$ grown$ jump soar climb surg | fell$ fallen$ falling drop "
            "declin decreas "
        "shrank slump plung",
        "ru": "вырос выросл рост$ роста$ увелич повыс возрос подскоч | упал снизил снижен пониз сократ "
            "уменьш",
        "hu": "nőtt$ növek emelk | csökken esett$ zuhan mérsékl",
        "tr": "arttı artış artıyor artırd yüksel çoğal | azal düştü düşüş düşürd geriled",
        "az": "artıb$ artdı artım artır yüksəl çoxal | azal düşüb$ düşdü endi$",
        "kk": "артты артқан өсті өскен көбей | кемі төменде азай",
        "ky": "өстү өскөн көбөй артты | азай төмөндө кеми",
        "uz": "oshdi oshgan oshir o'sdi o'sgan ko'pay ortdi | kamay pasay",
        "tk": "artdy artyş artan köpel ýokarlan ösdi ösen | azal peseld",
    },
    "win": {
        "en": "won$ wins$ win$ winning victor | lost$ lose$ loses$ losing defeat$",
        "ru": "победи победу победой выигра | проигра поражени уступил",
        "hu": "győz nyert | veszít vesztett kikapott vereség",
        "tr": "kazan galip galibiyet yendi$ | kaybet kaybed yenild mağlup mağlubiyet",
        "az": "qalib qələbə qazan | məğlub uduz",
        "kk": "жеңді$ жеңіп$ жеңіске жеңген$ ұтты ұтып$ | жеңілді$ жеңіліп жеңілген жеңіліс ұтыл",
        "ky": "жеңди$ жеңип$ жеңиш жеңген$ утту утуп$ | жеңилди жеңилип жеңилген жеңилүү утул",
        "uz": "yutdi yutgan yutib yengdi yenggan g'alaba g'olib | yutqaz mag'lub yengildi yengilgan",
        "tk": "ýeňdi ýeňiş ýeňip utdy utup | ýeňil utul",
    },
    "lead": {
        "en": "leading ahead | trailing behind", "ru": "лидир впереди | отстава проигрыва позади",
        "hu": "vezetett vezető előnyben | hátrány", "tr": "önde öndey | geride gerid",
        "az": "öndə irəlidə | geridə", "kk": "алда$ | артта$", "ky": "алдыда$ | артта$",
        "uz": "oldinda | ortda", "tk": "öňde | yzda$",
    },
    "accept": {
        "en": "accept approv adopt endors support | reject oppos", "ru": "приня одобр поддерж | отклон "
            "отверг",
        "hu": "elfogad jóváhagy támogat | elutasít ellenez ellenz elvet",
        "tr": "kabul onayla destekle | ret$ reddet redded karşı_çık",
        "az": "qəbul dəstəklə | rədd$ qarşı_çıx",
        "kk": "қабылдад қабылдан мақұлда қолдад | теріске қарсы_шық", "ky": "кабыл колдоду | четке каршы_чык",
        "uz": "qabul ma'qulla qo'llab | rad$ qarshi_chiq", "tk": "kabul goldady goldaýar | ret$ garşy_çyk",
    },
    "open": {
        "en": "open$ opened opens reopen | closed closes closing shut", "ru": "откры | закры",
        "hu": "nyit megny | zár$ zárt$ bezár lezár", "tr": "açtı açıl açık | kapat kapal kapan",
        "az": "açdı açıl açıq açıb$ | bağla$ bağland bağlan$ qapad", "kk": "ашты ашыл ашық ашып$ | жапты "
            "жабыл жабық",
        "ky": "ачты ачыл ачык ачып$ | жапты жабыл жабык жабыш", "uz": "ochdi ochil ochiq ochib$ | yopdi "
            "yopil yopiq yopib$",
        "tk": "açdy açyl açyk | ýapdy ýapyl ýapyk",
    },
    "more": {
        "en": "more$ | less$ fewer$", "ru": "больше$ более$ | меньше$ менее$",
        "hu": "több$ többet | kevesebb",
        "tr": "fazla$ | daha_az", "az": "çoxdur$ daha_çox | azdır$ daha_az",
        "kk": "көп$ көбірек | аз$ азырақ",
        "ky": "көп$ көбүрөөк | аз$ азыраак", "uz": "ko'p$ ko'proq | kam$ kamroq oz$ ozroq",
        "tk": "köp$ köpräk | az$ azrak",
    },
    "before": {
        "en": "before$ | after$", "ru": "перед$ накануне | после$", "hu": "előtt$ | után$",
        "tr": "önce$ | sonra$",
        "az": "əvvəl | sonra$", "kk": "бұрын$ | кейін$", "ky": "мурун$ мурда$ | кийин$",
        "uz": "oldin$ avval$ | keyin$",
        "tk": "öň$ | soň$",
    },
    "above": {
        "en": "above$ | below$", "ru": "выше$ | ниже$", "hu": "felett fölött | alatt$",
        "tr": "üzerinde üstünde | altında",
        "az": "yuxarı | aşağı", "kk": "жоғары | төмен", "ky": "жогору | төмөн",
        "uz": "yuqori | past$ pastda pastdir",
        "tk": "ýokary | pes$ pesdir",
    },
    "first": {
        "en": "first$ | last$ final", "ru": "перв | последн", "hu": "első$ elsők | utolsó",
        "tr": "ilk$ | sonuncu",
        "az": "ilk$ birinci$ | sonuncu", "kk": "алғаш бірінші | соңғы", "ky": "биринчи алгач | акыркы",
        "uz": "birinchi ilk$ | oxirgi so'nggi", "tk": "birinji ilkinji | soňky",
    },
    "stay": {
        "en": "stay remain | leave leaving quit depart", "ru": "остат остан остал остае | уйти уходит ушел "
            "ушла покин",
        "hu": "marad | távoz elhagy kilép", "tr": "kalacağ kaldı kalıyor | ayrıl terk bırakt bırakıy",
        "az": "qalacaq qalacağ qaldı qalır | ayrıl tərk", "kk": "қалатын қалды$ | кетеді кетті кеткен "
            "кететін",
        "ky": "калат калды$ | кетти кеткен кетет", "uz": "qoladi qolish | ketdi ketgan ketadi ketish",
        "tk": "galdy$ galýar galjak | gitdi giden gidýän",
    },
    "allow": {
        "en": "allow permit authori | ban$ banned bans$ prohibit forbid", "ru": "разреш | запре",
        "hu": "engedély | tilt betilt megtilt", "tr": "izin$ izni$ | yasak", "az": "icazə | qadağa",
        "kk": "рұқсат | тыйым",
        "ky": "уруксат | тыюу", "uz": "ruxsat | taqiq", "tk": "rugsat | gadagan",
    },
    "legal": {
        "en": "legal$ | illegal", "ru": "законн | незаконн", "hu": "jogszerű törvényes | jogellen "
            "törvénytelen illegális",
        "tr": "yasal$ yasaldır | yasa_dışı yasadışı", "az": "qanuni$ qanunidir | qanunsuz qeyri-qanuni",
        "kk": "заңды$ | заңсыз", "ky": "мыйзамдуу | мыйзамсыз", "uz": "qonuniy | noqonuniy",
        "tk": "kanuny | bikanun",
    },
    "success": {
        "en": "succe | fail", "ru": "успеш успех | провал неудач безуспеш",
        "hu": "siker$ sikeres | kudarc sikertelen",
        "tr": "başarılı başardı | başarısız", "az": "uğurlu uğurla$ | uğursuz", "kk": "сәтті$ | сәтсіз",
        "ky": "ийгиликтүү | ийгиликсиз", "uz": "muvaffaqiyatli | muvaffaqiyatsiz",
        "tk": "üstünlikli | şowsuz",
    },
    "confirm": {
        "en": "confirm | denied denies deny$ denying", "ru": "подтверд | опроверг отриц",
        "hu": "megerősít | cáfol tagad",
        "tr": "doğrula | yalanlad yalanlıy", "az": "təsdiq | təkzib inkar", "kk": "растад растап | жоққа",
        "ky": "ырастад тастыкта | төгүн", "uz": "tasdiq | inkor rad$", "tk": "tassykla | inkär",
    },
    "begin": {
        "en": "start$ started starts began begin | ended$ ends$ finish ceas",
        "ru": "начал начин | законч заверш прекрат",
        "hu": "kezdő kezdt | befejez végződ abbahagy", "tr": "başla | bitir bitti$ sona_er",
        "az": "başla | bitdi$ bitir sona_çat",
        "kk": "баста | аяқта тоқтат", "ky": "башта | аякта токтот", "uz": "boshla | tugat tugad tugag "
            "to'xtat",
        "tk": "başla | tamamlan gutar",
    },
    "continue": {
        "en": "continu ongoing persist | ended$ over$ stopped halted ceas",
        "ru": "продолж | законч прекрат заверш останов утих",
        "hu": "folytat folyamatban | véget_ért befejez leáll", "tr": "devam sürüyor | sona_er bitti$ "
            "durduruld",
        "az": "davam | sona_çat bitdi$ dayandı yatırıl", "kk": "жалғас | аяқта тоқта басылды",
        "ky": "улан | токто аякта басыл", "uz": "davom | tugad tugag to'xtad bartaraf",
        "tk": "dowam | gutar togta",
    },
    "high": {
        "en": "high$ higher highest | low$ lower lowest", "ru": "высок | низк", "hu": "magas | alacsony",
        "tr": "yüksek | düşük",
        "az": "yüksək | aşağı", "kk": "жоғары | төмен", "ky": "жогорку жогору бийик | төмөн",
        "uz": "yuqori baland | past$ pastroq",
        "tk": "ýokary beýik | pes$ pesräk",
    },
    "good": {
        "en": "best$ better$ | worst$ worse$", "ru": "лучш | худш", "hu": "legjobb jobb$ | legrosszabb "
            "rosszabb",
        "tr": "iyi$ | kötü", "az": "yaxşı | pis$", "kk": "жақсы | нашар жаман", "ky": "жакшы | начар жаман",
        "uz": "yaxshi | yomon", "tk": "gowy | erbet",
    },
    "praise": {
        "en": "prais | critici", "ru": "хвал похвал | критик раскритик", "hu": "dicsér | bírál kritiz",
        "tr": "övdü övgü | eleştir",
        "az": "təriflə | tənqid", "kk": "мақта | сынад сынға", "ky": "макта | сынд",
        "uz": "maqta | tanqid", "tk": "öwdi öwgi | tankyt",
    },
    "north": {
        "en": "north | south", "ru": "север | южн юг$ юге$ юга$", "hu": "észak | dél$ déli$",
        "tr": "kuzey | güney",
        "az": "şimal | cənub", "kk": "солтүстік | оңтүстік", "ky": "түндүк | түштүк", "uz": "shimol | janub",
        "tk": "demirgazyk | günorta",
    },
    "east": {
        "en": "east | west", "ru": "восто | запад", "hu": "kelet | nyugat", "tr": "doğu$ doğus | batı$ batıs",
        "az": "şərq | qərb", "kk": "шығыс | батыс", "ky": "чыгыш | батыш", "uz": "sharq | g'arb",
        "tk": "gündogar | günbatar",
    },
    "arrest": {
        "en": "arrest detained | released freed", "ru": "арест задерж | освобод отпустил",
        "hu": "letartóztat őrizetbe | szabadon",
        "tr": "tutukla gözaltı | serbest", "az": "həbs saxlanıl | azad sərbəst",
        "kk": "қамауға тұтқынға | босат",
        "ky": "камакка камалды кармалды | бошот", "uz": "hibs qamoqqa | ozod qo'yib_yubor",
        "tk": "tussag | boşat",
    },
    "live": {
        "en": "survived alive$ | died$ killed$ dead$", "ru": "выжил выжи живы$ | погиб умер скончал",
        "hu": "túlél | meghalt elhunyt",
        "tr": "hayatta | öldü öldürül hayatını_kaybet", "az": "sağ_qal | öldü öldürül həlak",
        "kk": "тірі$ аман | қайтыс қаза",
        "ky": "тирүү аман | каза$ өлдү", "uz": "tirik omon | halok vafot o'ldi", "tk": "diri$ | wepat öldi",
    },
    "strengthen": {
        "en": "boosted strengthen tighten intensif | eased easing weaken loosen",
        "ru": "усил ужесточ | ослаб смягч",
        "hu": "megerősít szigorít | gyengít enyhít", "tr": "güçlend sıkılaş artırd | hafiflet gevşet zayıfla",
        "az": "gücləndir sərtləş artırır artırıb | yüngülləş zəiflə", "kk": "күшейт | жеңілдет әлсіре",
        "ky": "күчөт көбөйт | жеңилдет алсыра", "uz": "kuchay jadallash | yengillash zaiflash bo'shash",
        "tk": "güýçlen berkit | gowşa ýeňilleş",
    },
    "active": {
        "en": "active$ | dormant extinct", "ru": "активн | потух спящ", "hu": "aktív | szunnyad kialudt",
        "tr": "aktif | sönmüş sönük",
        "az": "aktiv | sönmüş sönüb", "kk": "белсенді | сөніп сөнген", "ky": "активдүү | өчүп өчкөн",
        "uz": "faol | so'ngan so'nib",
        "tk": "işjeň | sönen sönüp",
    },
    "double": {
        "en": "doubl | halv half$", "ru": "удво вдвое_больш | вдвое_меньш наполовину вполовину",
        "hu": "dupláz kétszeres | felez felére",
        "tr": "ikiye_katla iki_kat | yarıya yarı_yarıya", "az": "ikiqat iki_dəfə | yarıya yarıbayarı",
        "kk": "екі_есе | жартысына",
        "ky": "эки_эсе | жарымына", "uz": "ikki_baravar | yarmiga yarmini", "tk": "iki_esse | ýarysyna",
    },
    "cause": {
        "en": "drives$ causes$ promotes fuels | blocks$ inhibit prevents slows$",
        "ru": "способству стимулир вызыва | тормоз блокир препятств",
        "hu": "okoz elősegít | gátol akadályoz", "tr": "sebep neden_ol | engelliyor engelle önlüyor",
        "az": "səbəb | maneə əngəl",
        "kk": "күшейтеді тудыр | тежей бөгей", "ky": "күчөтөт себеп | тоскоол токтотот",
        "uz": "sabab undaydi | to'sqin sekinlash",
        "tk": "sebäp | päsgel haýallad",
    },
    "issue": {
        "en": "issued publish unveil launch announced | shelved cancel scrap postpon withdrew",
        "ru": "опублик представил выпуст обнарод | отмен отлож отозва",
        "hu": "kiad közzé bemutat | visszavon elhalaszt töröl", "tr": "yayımla yayınla açıkla | iptal "
            "ertele rafa", "az": "təqdim dərc elan | ləğv təxirə",
        "kk": "жарияла ұсын | кейінге_қалдыр күшін_жой", "ky": "жарыяла | кийинкиге жокко_чыгар",
        "uz": "e'lon taqdim | bekor kechiktir voz_kech",
        "tk": "yglan hödürle | ýatyr yza_süýşür",
    },
    "join": {
        "en": "joined$ joins$ joining entered$ | left$ exited$ quit$",
        "ru": "вступил вступа присоедин | покинул выходит вышел вышла",
        "hu": "csatlakoz belép | kilép", "tr": "katıldı katılıyor | ayrıldı ayrılıyor çekildi",
        "az": "qoşul | ayrıl",
        "kk": "қосылды қосылып | шықты шығып", "ky": "кошулду кошулуп | чыкты чыгып",
        "uz": "qo'shildi qo'shil | chiqdi chiqib", "tk": "goşuldy | çykdy",
    },
    "safe": {
        "en": "safe$ safely | danger", "ru": "безопас | опасн опасен", "hu": "biztonságos | veszélyes",
        "tr": "güvenli$ | tehlike",
        "az": "təhlükəsiz | təhlükəli", "kk": "қауіпсіз | қауіпті", "ky": "коопсуз | коркунучтуу",
        "uz": "xavfsiz | xavfli", "tk": "howpsuz | howply",
    },
    "possible": {
        "en": "possible$ likely$ | impossible unlikely", "ru": "возможно$ вероятно$ | невозможно "
            "маловероятно",
        "hu": "lehetséges valószínű$ | lehetetlen valószínűtlen", "tr": "mümkün muhtemel | imkansız "
            "imkânsız", "az": "mümkün | qeyri-mümkün",
        "uz": "mumkin | imkonsiz",
    },
    "early": {
        "en": "early$ earlier$ | late$ later$", "ru": "раньше$ рано$ | позже$ поздно$",
        "hu": "korán$ korábban | későn$ később",
        "tr": "erken | geç$ geçti", "az": "erkən tez$ | gec$", "kk": "ерте | кеш$", "ky": "эрте | кеч$",
        "uz": "erta | kech$", "tk": "ir$ | giç$",
    },
}  # fmt: skip


@cache
def sides(language: str) -> dict[str, Sides]:
    """By topic, the patterns of the two sides in a language; empty for a language without a table."""
    return {
        topic: (_pattern(one), _pattern(other))
        for topic, by_language in TOPICS.items()
        if language in by_language
        for one, other in [by_language[language].split(" | ")]
    }


def _pattern(words: str) -> re.Pattern[str]:
    parts = []
    for word in words.split():
        begun = re.escape(word.rstrip("$").replace("_", " "))
        parts.append(begun + (r"\b" if word.endswith("$") else r"\w*"))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})")
