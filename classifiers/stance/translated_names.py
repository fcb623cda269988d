"""Words of names that are translated, not transliterated: across languages they cannot be compared by sound.

Stems by language, for "North Korea", "State Council", "Security Council"; months and weekdays come from CLDR.
"""

from __future__ import annotations

from functools import cache

from babel.dates import get_day_names, get_month_names

from classifiers.text import fold_case

# Words of which the names of institutions and places are made: they are translated, with the capitals around
# them ("Pacific Ocean", "Supreme Court").
_STEMS = {
    "en": "north south east west state council court security united ministry universit party committee "
        "department "
    "street road national nations international kingdom agency assembly union war navy army church cup "
    "league "
    "pacific ocean commission province republic defense defence hurricane house white senate labour democrat "
    "conservative federal federation association centre center institute office police force school hospital "
    "museum park river mountain island sea lake bay city county bank fund world european american african "
    "research "
    "prevention world championship premier development intelligence plan program prison",
    "ru": "север южн юг восто запад государствен госсовет совет суд верховн безопасност соедин министерств "
        "университет парти "
    "комитет департамент улиц национал нац международ королевств агентств ассамбле союз войн флот арми "
    "церк кубок "
    "лиг тих океан комисси провинци республик оборон ураган дом бел сенат лейборист демократ консерватор "
    "федера ассоциац центр институт управлени полиц школ больниц музе парк рек гор остров мор озер залив "
    "банк фонд "
    "мир европейск американск африканск чемпионат премьер святой св управл служб развити план программ "
    "тюрьм юридическ",
    "hu": "észak dél kelet nyugat állam tanács bíróság biztonság egyesült párt bizottság utca nemzet "
        "királyság "
    "ügynökség közgyűlés unió háború haditengerészet hadsereg templom egyház kupa liga csendes óceán "
    "tartomány "
    "köztársaság védelm hurrikán ház fehér szenátus munkás demokrata konzervatív szövetség központ intézet "
    "hivatal "
    "rendőr iskola kórház múzeum park folyó hegy sziget tenger tó város bank alap világ európai amerikai "
    "bajnok globális egyetem miniszterium",
    "tr": "kuzey güney doğu batı devlet konsey kurul mahkeme güvenlik birleşmiş birleşik üniversite parti "
        "komite cadde "
    "sokak ulusal millet uluslararası krallı ajans divan meclis birli savaş donanma ordu kilise kupa lig "
    "pasifik "
    "okyanus komisyon eyalet cumhuriyet savunma kasırga saray beyaz senato işçi demokrat muhafazakar "
    "muhafazakâr federal federasyon "
    "dernek merkez enstitü ofis polis okul hastane müze park nehir dağ ada deniz göl körfez şehir banka "
    "fon dünya "
    "avrupa amerika şampiyon bakanlı dışişleri içişleri gelişt plan program hapishane danıştay",
    "az": "şimal cənub şərq qərb dövlət şura məhkəmə təhlükəsizlik birləşmiş universitet partiya komitə "
        "küçə milli millət "
    "beynəlxalq krallı agentli ədalət məclis ittifaq müharibə donanma ordu kilsə kubok liqa sakit okean "
    "komissiya "
    "əyalət respublika müdafiə qasırğa saray ağ senat leyborist demokrat mühafizəkar federa assosiasiya "
    "mərkəz "
    "institut idarə polis məktəb xəstəxana muzey park çay dağ ada dəniz göl körfəz şəhər bank fond dünya "
    "avropa "
    "amerika çempion nazirli daxili xarici ştat",
    "kk": "солтүстік оңтүстік шығыс батыс мемлекет кеңес сот қауіпсіздік біріккен құрама университет "
        "партия комитет "
    "көше ұлт халықаралық корольді агентті ассамблея одақ одағ соғыс теңіз флот әскер шіркеу кубок лига "
    "тынық мұхит "
    "комиссия провинция республика қорғаныс дауыл үй ақ сенат лейборист демократ консерватив федера "
    "қауымдастық "
    "орталық институт басқарма полиция мектеп аурухана музей саябақ өзен тау арал көл шығанақ қала банк "
    "қор дүние "
    "әлем еуропа америка чемпион министрлі ішкі сыртқы штат ұйым",
    "ky": "түндүк түштүк чыгыш батыш мамлекет кеңеш сот коопсуздук бириккен кошмо университет партия "
        "комитет көчө улут "
    "эл королдук агентти ассамблея союз бирим согуш деңиз флот аскер чиркөө кубок лига тынч океан комиссия "
    "провинция "
    "республика коргон бороон үй ак сенат лейборист эмгек демократ консерватив федера ассоциация борбор "
    "институт "
    "башкарма полиция мектеп оорукана музей парк дарыя тоо арал көл булуң шаар банк фонд дүйнө европа "
    "америка "
    "чемпион министрли ички тышкы штат уюм мүчө",
    "uz": "shimol janub sharq g'arb davlat kengash sud xavfsizlik birlashgan universitet partiya qo'mita "
        "ko'cha milli "
    "millat xalqaro qirolli agentli assambleya ittifoq urush flot armiya cherkov kubok liga tinch okean "
    "komissiya "
    "viloyat respublika mudofaa bo'ron uy oq senat leyborist demokrat konservativ federa assotsiatsiya "
    "markaz "
    "institut boshqarma politsiya maktab kasalxona muzey bog' daryo tog' orol dengiz ko'l shahar bank "
    "jahon dunyo "
    "yevropa amerika chempion vazirli ichki tashqi shtat tashkilot avliyo",
    "tk": "demirgazyk günorta gündogar günbatar döwlet geňeş kazyýet howpsuzlyk birleşen uniwersitet "
        "partiýa komitet köçe "
    "milli millet halkara patyşaly agentli assambleýa mejlis bileleşi soýuz uruş flot goşun buthana kubok "
    "liga ýuwaş "
    "okean komissiýa welaýat respublika goranmak goranyş tupan öý ak senat leýborist demokrat konserwatiw "
    "federa "
    "birleşig merkez institut müdirli polisiýa mekdep hassahana muzeý park derýa dag ada deňiz köl aýlag "
    "şäher bank "
    "dünýä ýewropa amerika çempion ministrli içeri daşary ştat gurama guramasy",
}  # fmt: skip
# Parts of place names that some languages keep and others translate or spell anew.
_PLACES = (
    "street strit стрит beach бич city сити new нью st saint сент sent fahrenheit farengeyt farengeýt "
    "farenheyt "
    "фаренгейт stadium stadion стадион"
)
# Words before a person's name: translated too, but the name beside them is not.
_TITLES = {
    "en": "president minister prime secretary senator officer member mr mrs ms dr prof st saint sir king "
        "queen prince "
    "princess general captain judge chancellor duke",
    "ru": "президент министр премьер секретар госсекретар сенатор офицер член мистер госпо доктор проф "
        "корол принц "
    "генерал капитан судь канцлер герцог председател",
    "hu": "elnök miniszter titkár szenátor tiszt tag úr asszony király herceg tábornok kapitány bíró "
        "kancellár szent",
    "tr": "başkan cumhurbaşkan bakan başbakan sekreter senatör üye bay bayan sayın doktor kral prens "
        "general yüzbaşı yargıç "
    "şansölye dük aziz",
    "az": "prezident nazir katib senator üzv cənab xanım doktor kral şahzadə general kapitan hakim kansler "
        "hersoq",
    "kk": "президент министр хатшы сенатор мүше мырза доктор король ханзада генерал капитан судья канцлер "
        "герцог",
    "ky": "президент министр катчы сенатор мүчө мырза мистер доктор король ханзаада генерал капитан сот "
        "канцлер герцог",
    "uz": "prezident vazir kotib senator a'zo janob xonim doktor qirol shahzoda general kapitan sudya "
        "kansler gersog",
    "tk": "prezident ministr sekretar kätib senator agza jenap hanym doktor korol şazada general kapitan "
        "kazy kansler",
}  # fmt: skip
_APOSTROPHES = str.maketrans(dict.fromkeys("‘’ʻʼ`´", "'"))
_LONGEST_ACRONYM = 6
_SHORT_STEM = 4
_SHORT_ENDING = 3


def is_translated(word: str, stem: str, language: str) -> bool:
    """Whether another language writes this name otherwise than by its sound: an acronym, a common word in
    a title, a month or a weekday.
    """
    if (stem.isupper() and len(stem) <= _LONGEST_ACRONYM) or len(stem) <= 2:
        return True
    lead = stem[:3]
    if len(lead) == 3 and lead.isupper():  # an acronym with its ending: "OIVga"
        return True
    folded = fold_case(word, language).translate(_APOSTROPHES)
    others = (*_TITLES.get(language, "").split(), *_PLACES.split())
    return _begins(folded, _stems(language)) or _begins(folded, others)


def names_an_institution(word: str, language: str) -> bool:
    """Whether the capitals beside this word are translated with it: "Supreme" beside "Court"."""
    return _begins(fold_case(word, language).translate(_APOSTROPHES), _stems(language))


def _begins(word: str, stems: tuple[str, ...]) -> bool:
    """Whether the word is one of the stems with an ending, a short one after a short stem."""
    return any(
        word.startswith(stem) and (len(stem) > _SHORT_STEM or len(word) - len(stem) <= _SHORT_ENDING)
        for stem in stems
    )


@cache
def _stems(language: str) -> tuple[str, ...]:
    calendar = [
        fold_case(name, language)[:5]
        for context in ("format", "stand-alone")
        for names in (get_month_names("wide", context, language), get_day_names("wide", context, language))
        for name in names.values()
    ]
    return (*_STEMS.get(language, "").split(), *(name for name in calendar if len(name) >= 4))
