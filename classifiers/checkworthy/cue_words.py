"""Cue words for check-worthiness in nine languages: reporting verbs, modality, opinion, first person.

Patterns run over lower-case text with plain apostrophes. Stems are left open at the end, since most of the
languages put endings there.
"""

from __future__ import annotations

import re


def _stems(*lines: str) -> re.Pattern[str]:
    words = " ".join(lines).split()
    return re.compile(r"\b(?:" + "|".join(re.escape(w).replace("_", r"\s") for w in words) + r")")


def _words(*lines: str) -> re.Pattern[str]:
    words = " ".join(lines).split()
    return re.compile(r"\b(?:" + "|".join(re.escape(w).replace("_", r"\s") for w in words) + r")\b")


REPORTING = {
    "az": _stems("bildir söylə açıqla qeyd_ed məlumat_ver xəbər_ver deyib görə iddia təsdiqlə vurğula"),
    "kk": _stems("хабарла мәлімде айтты айтуынша деді деп сәйкес мәлімет растады жариялады баяндады"),
    "ky": _stems("билдир айтты айтымында деди деп ылайык маалымат ырастады жарыялады кабарла"),
    "tr": _stems("bildir söyle açıkla belirt duyur iddia göre doğrula vurgula aktar kaydet ifade_et dedi"),
    "uz": _stems(
        "ma'lum_qil xabar ayt bildir dedi deya ko'ra ta'kidla tasdiqla e'lon маълум хабар айт билдир деди "
        "кўра"
    ),
    "tk": _stems("habar aýtd aýtmag aýdýar görä belle diýip diýdi yglan tassykla beýan"),
    "hu": _stems("közöl mond jelent állít szerint bejelent nyilatkoz hozzát megerősít kijelent tájékoztat"),
    "ru": _stems(
        "сообщ заяв сказал по_данным по_словам рассказ отмет утвержда подтверд подчеркн объяв согласно уточн"
    ),
    "en": _words(
        "said says say told reported reports announced according_to claimed claims stated confirmed added "
        "noted",
        "found shows showed revealed alleged estimates",
    ),
}
MODALITY = {
    "az": re.compile(
        r"\b(?:gərək|lazım|bəlkə|ola bilər|yəqin|ehtimal)|\w{2,}m[aə]l[ıi](?:dır|dir|yıq|yik|lar|lər)?\b"
    ),
    "kk": _stems("керек қажет тиіс мүмкін шығар сияқты ықтимал"),
    "ky": _stems("керек зарыл тийиш мүмкүн балким окшойт"),
    "tr": re.compile(
        r"\b(?:gerek|lazım|belki|olabilir|muhtemel|galiba|zorunda)|\w{2,}m[ae]l[ıi](?:y[ıi]z|lar|ler|"
        r"d[ıi]r)?\b"
    ),
    "uz": _stems("kerak lozim shart mumkin balki ehtimol керак лозим мумкин балки эҳтимол"),
    "tk": re.compile(r"\b(?:gerek|mümkin|belki|ähtimal|zerur)|\w{2,}m[ae]ly\b"),
    "hu": _stems("kell talán lehet valószínű esetleg szükséges"),
    "ru": _stems("долж следует нужно надо может возможно вероятно пожалуй стоит наверное"),
    "en": _words(
        "should must ought may might could would perhaps maybe probably need_to has_to have_to possibly"
    ),
}
OPINION = {
    "az": _stems("məncə fikrimcə bizcə təəssüf ümid sevin gözəl dəhşət ayıb əla"),
    "kk": _stems("меніңше ойымша біздіңше өкінішке үміт керемет сұмдық ұят тамаша"),
    "ky": _stems("менимче оюмча биздинче тилекке үмүт сонун коркунуч уят мыкты"),
    "tr": _stems("bence kanımca bana_göre sanırım maalesef umarım harika rezalet ayıp güzel berbat inşallah"),
    "uz": _stems("menimcha fikrimcha bizningcha afsus umid go'zal dahshat uyat ajoyib менимча афсус умид"),
    "tk": _stems("meniňçe pikirimçe gynansak umyt owadan aýyp ajaýyp"),
    "hu": _stems("szerintem úgy_gondolom sajnos remél gyönyörű szégyen nagyszerű borzalm"),
    "ru": _stems("по-моему мне_кажется думаю считаю к_сожалению надею прекрасн ужас позор замечательн"),
    "en": _words(
        "i_think in_my_opinion i_believe unfortunately hopefully hope wonderful terrible shame shameful "
        "beautiful great",
        "awful amazing love hate",
    ),
}
FIRST_PERSON = {
    "az": _words("mən mənim mənə məni biz bizim bizə özüm"),
    "kk": _words("мен менің маған мені біз біздің бізге өзім өзімді"),
    "ky": _words("мен менин мага мени биз биздин бизге өзүм өзүмдү"),
    "tr": _words("ben benim bana beni biz bizim bize kendimi kendim"),
    "uz": _words("men mening menga meni biz bizning bizga o'zim o'zimni мен менинг менга биз бизнинг"),
    "tk": _words("men meniň maňa meni biz biziň bize özüm özümi"),
    "hu": _words("én engem nekem mi minket nekünk magam"),
    "ru": _words("я мне меня мой моя моё мы нам нас наш наша себя"),
    "en": _words("i i'm i've me my mine we us our ours let's myself"),
}
