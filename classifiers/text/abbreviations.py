"""Abbreviations that end in a full stop, by language: what the sentence splitter must not take for an end.

``BEFORE_A_NAME`` never ends a sentence: titles, places, "see", "that is". ``MAY_END`` may: "etc.", "million",
"year"; a capital letter after it begins a sentence. Written in lower case, without the last full stop.
"""

from __future__ import annotations

_EVERYWHERE = "dr prof mr mrs ms st no nr vs jr sr ph.d dj"

_BEFORE_A_NAME = {
    "az": "akad dos müəl məs bax yəni cən xan küç ş şəh ray r.i səh şək red tərc təx nəşr b.e bə b.e.ə e.ə "
    "m.ö g.s t.e ing rus lat",
    "kk": "акад доц т.е яғни мыс қар қ көш даң ауд обл ст ред проф инж ген полк б.з б.з.б мәс бет сур тел "
    "ағыл лат ж.т",
    "ky": "акад доц м.а б.а кара ш көч обл р-н ред проф ген мис бет сүр тел б.з б.з.ч англ лат",
    "tr": "prof doç yrd av ing alm fr çev haz bkz örn ör mad md sn sok cad mah bul apt gen alb yzb bşk bkn "
    "m.ö m.s t.c op ecz uzm öğr arş"
    " gör müh tel s sf cilt yy hz kon krş yay a.g.e",
    "uz": "akad dots mas q ko'ch sh vil tum prof red gen bet rasm tel mil.av ya'ni акад доц мас қ кўч ш вил "
    "туман проф ред ген бет"
    " милод.ав",
    "tk": "akad dos meselem ser köç ş etr wel prof red gen sah tel b.e b.e.öň",
    "hu": "dr id ifj özv prof ún pl ill kb vö ld u.i uo szerk ford bp u krt ker sz old lásd fsz em gr st kft "
    "bt zrt nyrt min max tkp ui br"
    " biz eü hrsz mn",
    "ru": "г ул пр просп пер пл д корп кв им акад проф доц гр гн г-н г-жа св см ср т.е т.н т.к напр рис табл "
    "гл стр с ст ред"
    " изд обл р-н о-в оз р пос дер ген полк подп лейт кап инж тел англ лат греч нем фр ок прим зам зав нач "
    "мл сц чл.-корр",
    "en": "gen col lt capt cmdr sgt maj adm gov sen rep rev hon pres messrs mme mlle fig figs vol ed eds cf "
    "approx e.g i.e viz ave blvd"
    " rd dept univ assn bros mt ft al pp art sec ch op capt supt det insp",
}

_MAY_END = {
    "az": "s və.s v.s i.a mln mlrd trln min man qəp il b.s və.i.a a.ş d.ə",
    "kk": "т.б т.с.с ж.б ж жж мың млн млрд трлн теңге тг км м кг га б.э д.т ғ ғғ ж.т",
    "ky": "ж.б т.а у.с ж жж миң млн млрд трлн сом км м кг га кылым",
    "tr": "vb vs vd vdl v.b v.s mln mlr a.ş ltd şti co inc t.l abd a.b.d",
    "uz": "h.k va.h.k sh.k v.b mln mlrd trln so'm y yy b в.ҳ.к ҳ.к млн млрд й йй",
    "tk": "ş.m we.ş.m we.b m.b mln mlrd trln müň ý ýý",
    "hu": "stb sőt i.sz i.e kr.e kr.u m rt mrd mill millió ft db évf kft bt zrt nyrt jan febr márc ápr máj "
    "jún júl aug szept okt nov dec",
    "ru": "т.д т.п др пр проч г гг в вв н.э тыс млн млрд трлн руб коп долл экз чел мин сек ч кг км м см га "
    "н.э до.н.э л.с и.о",
    "en": "etc inc ltd co corp plc llc a.m p.m u.s u.k u.n e.u d.c b.c a.d jan feb mar apr jun jul aug sept "
    "sep oct nov dec"
    " mon tue wed thu fri sat sun dept est",
}

# Languages that write ordinals as a number and a full stop.
ORDINAL_LANGUAGES = frozenset({"hu", "tr", "tk", "az"})

BEFORE_A_NAME = {
    language: frozenset((_EVERYWHERE + " " + words).split()) for language, words in _BEFORE_A_NAME.items()
}
MAY_END = {language: frozenset(words.split()) for language, words in _MAY_END.items()}

# Words that open English sentences, to tell "the U.S. The ..." from "U.S. Steel".
ENGLISH_OPENERS = frozenset(
    (  # noqa: SIM905 - a line of words reads better than a column of strings
        "the a an in on at it he she they we you i but and or if when while after before this that these "
        "those his her its"
        " their as for from there however meanwhile since by with what who why how no not some many most all"
    ).split()
)
