"""Publishers' ratings, in their own words and nine languages, on one scale.

The verbatim rating is what readers are shown; the normalised one only lets programs group and filter. A
rating that is not in the table stays unknown: guessing from a word inside a sentence would turn "not true"
into "true".
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, get_args

NormalisedRating = Literal["true", "mostly_true", "mixed", "mostly_false", "false", "unverifiable"]
NORMALISED_RATINGS: tuple[NormalisedRating, ...] = get_args(NormalisedRating)

# One line per meaning: English, Russian, Turkish, Azerbaijani, Kazakh, Kyrgyz, Uzbek, Turkmen, Hungarian.
_PHRASES: dict[NormalisedRating, str] = {
    "true": """
        true; correct; accurate; verified; confirmed; fact; factual; correct attribution; geppetto checkmark;
        правда; верно; достоверно; подтверждено; истина; соответствует действительности; факт;
        doğru; gerçek; doğrulandı; teyit edildi; doğrudur;
        doğrudur; həqiqət; həqiqətdir; düzgün; düzgündür; təsdiqləndi; təsdiqlənib;
        рас; шындық; шын; дұрыс; растайды; расталды; ақиқат;
        чын; чындык; туура; ырасталды; акыйкат;
        to'g'ri; toʻgʻri; rost; haqiqat; tasdiqlandi; тўғри; рост; ҳақиқат;
        dogry; hakykat; çyn; tassyklandy; tassyklanan;
        igaz; helyes; valós; megerősített; tény""",
    "mostly_true": """
        mostly true; largely true; mostly correct; mostly accurate; close to the mark; one
        pinocchio;
        почти правда; скорее правда; в основном правда; преимущественно правда; в основном верно;
        скорее верно;
        çoğunlukla doğru; büyük ölçüde doğru; ağırlıklı olarak doğru;
        əsasən doğru; əsasən doğrudur; böyük ölçüdə doğru;
        негізінен рас; негізінен дұрыс; көбіне рас; негізінен шындық;
        негизинен чын; негизинен туура; көбүнчө чын;
        asosan to'g'ri; asosan toʻgʻri; ko'proq to'g'ri; асосан тўғри;
        esasan dogry; köplenç dogry;
        többnyire igaz; nagyrészt igaz; jórészt igaz""",
    "mixed": """
        mixed; mixture; half true; half-true; partially true; partly true; partly false; partially false;
        missing context;
        lacks context; needs context; out of context; half truth; two pinocchios; cherry-picked;
        полуправда; частично правда; отчасти правда; частично верно; частично ложь; вырвано из контекста;
        без контекста; не хватает контекста; наполовину правда; смешанное;
        karma; yarı doğru; kısmen doğru; kısmen yanlış; bağlamından koparılmış; bağlam eksik; eksik bağlam;
        qarışıq; yarı doğru; qismən doğru; qismən doğrudur; qismən yanlış; kontekstdən çıxarılıb; kontekst
        çatışmır;
        жартылай рас; жартылай шындық; ішінара рас; ішінара дұрыс; контекстен тыс; аралас;
        контекст жетіспейді;
        жарым-жартылай чын; жарым чындык; бөлүкчө чын; жарым-жартылай туура; контексттен тышкары; аралаш;
        qisman to'g'ri; qisman toʻgʻri; yarim haqiqat; qisman yolg'on; kontekstdan tashqari; aralash; қисман
        тўғри;
        bölekleýin dogry; ýarym hakykat; kontekstden daşary; garyşyk;
        féligaz; félig igaz; részben igaz; részben hamis; kiragadott; hiányzó kontextus; vegyes""",
    "mostly_false": """
        mostly false; largely false; mostly incorrect; misleading; exaggerated; exaggeration; distorted; three
        pinocchios;
        скорее ложь; почти ложь; в основном ложь; преимущественно ложь; вводит в заблуждение; манипуляция;
        преувеличение; искажение; скорее неправда; в основном неправда; скорее неверно;
        çoğunlukla yanlış; büyük ölçüde yanlış; yanıltıcı; abartılı; abartı; çarpıtma; saptırılmış;
        əsasən yanlış; əsasən yalan; çaşdırıcı; yanıldıcı; aldadıcı; şişirdilmiş; təhrif; manipulyasiya;
        негізінен жалған; негізінен өтірік; жаңылыстырады; жаңылыстыратын; манипуляция; бұрмаланған; асыра
        айтылған;
        негизинен жалган; негизинен калп; адаштыруучу; адаштырат; манипуляция; бурмаланган; апыртылган;
        asosan yolg'on; asosan yolgʻon; chalg'ituvchi; chalgʻituvchi; bo'rttirilgan; manipulyatsiya;
        чалғитувчи;
        esasan ýalan; ýalňyşdyryjy; aldawly; manipulýasiýa; çişirilen;
        többnyire hamis; nagyrészt hamis; félrevezető; megtévesztő; túlzás; túlzó; torzítás""",
    "false": """
        false; fake; incorrect; wrong; untrue; not true; fabricated; hoax; debunked; pants on fire;
        inaccurate; lie;
        four pinocchios; false claim; altered; manipulated; fake news; not correct; doctored; miscaptioned;
        ложь; неправда; неверно; фейк; фальшивка; не соответствует действительности; недостоверно; вымысел;
        выдумка;
        опровергнуто; это ложь; не правда; ложно; дезинформация;
        yanlış; asılsız; yalan; sahte; uydurma; gerçek değil; doğru değil; yalanlandı; yanlıştır;
        dezenformasyon; montaj;
        yanlış; yanlışdır; yalan; yalandır; saxta; uydurma; feyk; əsassız; doğru deyil; həqiqət deyil;
        dezinformasiya;
        жалған; өтірік; фейк; қате; дұрыс емес; рас емес; шындыққа сай емес; жалған ақпарат; негізсіз; теріске
        шығарылды;
        жалган; калп; фейк; туура эмес; чын эмес; ката; жалган маалымат; негизсиз; төгүндөлдү;
        yolg'on; yolgʻon; noto'g'ri; notoʻgʻri; soxta; feyk; rost emas; to'g'ri emas; asossiz; uydirma; ёлғон;
        нотўғри;
        ýalan; nädogry; galp; feýk; toslama; dogry däl; hakykat däl; esassyz;
        hamis; nem igaz; téves; álhír; valótlan; kitalált; cáfolt; kacsa; hazugság; átverés""",
    "unverifiable": """
        unverifiable; unproven; unverified; unconfirmed; unsupported; no evidence; not proven; unknown;
        undetermined;
        insufficient evidence; cannot be verified; research in progress; in dispute; disputed;
        не проверено; не подтверждено; недоказуемо; не доказано; бездоказательно; невозможно проверить; нет
        данных;
        нет доказательств; непроверяемо; неизвестно; недостаточно данных;
        doğrulanamadı; kanıtlanmamış; teyit edilemedi; belirsiz; kanıt yok; doğrulanmadı; yetersiz kanıt;
        təsdiqlənməyib; sübut olunmayıb; yoxlanıla bilmir; qeyri-müəyyən; sübut yoxdur; təsdiqini tapmayıb;
        расталмаған; дәлелденбеген; тексеру мүмкін емес; белгісіз; дәлел жоқ; расталмады;
        ырасталган эмес; далилденген эмес; текшерүү мүмкүн эмес; белгисиз; далил жок;
        tasdiqlanmagan; isbotlanmagan; tekshirib bo'lmaydi; noma'lum; dalil yo'q; тасдиқланмаган;
        tassyklanmadyk; subut edilmedik; näbelli; barlap bolmaýar;
        nem ellenőrizhető; nem igazolható; bizonyítatlan; nem bizonyított; nincs bizonyíték;
        megerősítetlen""",
}

_APOSTROPHES = re.compile("[ʻʼ‘’`´']")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_EXPLANATION = re.compile(r"\s*[:;.!(,\[|]\s*|\s+[-–—]\s+")


def _fold(text: str) -> str:
    """Case-insensitive key that does not depend on which language's rule for I applies."""
    text = (
        unicodedata.normalize("NFKC", text)
        .casefold()
        .replace("\u0307", "")
        .replace("ı", "i")
        .replace("ё", "е")
    )
    return _EDGES.sub("", " ".join(_APOSTROPHES.sub("'", text).split()))


_TABLE: dict[str, NormalisedRating] = {
    _fold(phrase): rating
    for rating, phrases in _PHRASES.items()
    for phrase in phrases.split(";")
    if phrase.strip()
}


def normalise_rating(rating: str | None) -> NormalisedRating | None:
    """The normalised meaning of a publisher's verbatim rating, or None where the table does not know it.

    A rating followed by its explanation ("False: the photo is from 2015") is read up to the explanation.
    """
    if rating is None:
        return None
    whole = _TABLE.get(_fold(rating))
    if whole is not None:
        return whole
    stripped = _EDGES.sub("", rating)
    return _TABLE.get(_fold(_EXPLANATION.split(stripped, maxsplit=1)[0]))
