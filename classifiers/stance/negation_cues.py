"""Tables of :mod:`classifiers.stance.negation`: how nine languages negate, and words that only look like it.

Texts are lower-cased (Turkic casing) with every apostrophe written ``'``. The verbs of the Turkic languages
take a syllable -ma-, -ba- or -pa- before tense and person, so the endings that follow it are listed; where a
noun can end in the same letters ("bağdarlaması", "жобасын"), the ending is left out.
"""

from __future__ import annotations

WORDS: dict[str, str] = {
    "en": r"not|no|never|nobody|none|neither|nor|nothing|nowhere|without|cannot|\w+n't|refus\w+|"
    r"den(?:y|ied|ies|ying)|reject\w*|declin(?:e|ed|es|ing) to|fail(?:ed|s|ing)? to|unable|lack(?:s|ed)?|"
    r"far from|rul(?:e|ed|es|ing) out",
    "ru": r"не|нет|ни|никогда|никто|никого|ничего|ничто|нельзя|без|невозможно|неспособ\w+|отказ\w+|"
    r"отверг\w+|опроверг\w+|отриц\w+|никак\w*|отсутств\w+",
    "hu": r"nem|ne|nincs\w*|sem|soha|senki\w*|semmi\w*|nélkül|sincs\w*|tagad\w*|elutasít\w*|"
    r"visszautasít\w*|cáfol\w*|megtagad\w*",
    "tr": r"değil\w*|yok(?:tu\w*|tur|ken|lu[ğk]\w*)?|hiç|hiçbir\w*|asla|hayır|redde[td]\w*|"
    r"yalanla[dmny]\w*|olmaksızın|vazgeç\w*|ne\b(?! kadar| zaman)[^.;:]{1,40}?\bne(?: de)?",
    "az": r"deyil(?:di\w*|dir|miş\w*|sə|lər\w*|əm)?|yox(?:dur|du\w*|sa|dan|lu[qğ]\w*)?|heç\w*|inkar\w*|"
    r"imtina\w*|rədd|təkzib|nə\b(?! qədər| vaxt| üçün| zaman)[^.;:]{1,40}?\bnə(?: də)?",
    "kk": r"емес\w*|жоқ(?:т\w*|пын|пыз|қа)?|еш|ешқандай|ешкім\w*|ешбір\w*|ешқашан|ештеңе\w*|бас тарт\w*|"
    r"теріске|бірде[- ]бір\w*",
    "ky": r"эмес\w*|жок(?:т\w*|ко|пу|мун|пуз)?|эч|эчким\w*|эчкандай\w*|эчтеке\w*|баш тарт\w*|четке|"
    r"төгүн\w*|элек(?:мин|пиз|тиг\w*)?|бир (?:жолу )?да",
    "uz": r"emas\w*|yo'q(?:lig\w*|di|dir|mi|ku)?|hech\w*|rad|inkor\w*|bosh tort\w*|voz kech\w*|"
    r"эмас\w*|йўқ(?:лиг\w*|ди|дир|ми)?|ҳеч\w*|рад|инкор\w*|бош торт\w*|воз кеч\w*",
    "tk": r"däl\w*|ýok(?:dur|dy|d[uy]g\w*|lu[gk]\w*|sa)?|hiç\w*|inkär\w*|ret|boýun gaçyr\w*|ýüz öwür\w*",
}
ENDINGS: dict[str, str] = {
    "tr": r"m[ae](?:d[ıi](?:[mn]|[kğ]\w*|l[ae]r\w*|n[ıi]z|ys\w*)?|m[ıi]ş\w*|z(?:d[ıi]\w*|l[ae]r\w*|s[ae]|"
        r"ken)?|"
    r"y[ae]c[ae][kğ]\w*|y[ae]n\w*|y[ae]bil\w*|y[ıi]p|d[ae]n|m[ae]\w*)|m[ıiuü]yor\w*",
    "az": r"m[aə](?:d[ıi](?:[mnq]|[kğyq]\w*|l[aə]r\w*|n[ıi]z)?|m[ıi]ş\w*|z(?:l[aə]r\w*|d[ıi]\w*|s[aə])?|"
    r"y[aə]c[aə][kğqy]\w*|y[aə]n\w*|y[ıi]b\w*|d[aə]n|s[aə](?:l[aə]r|[mnqk])?|m[aə]\w*)|"
    r"m[ıiuü]r(?:am|əm|[ıi]q|ik|san|sən|s[ıi]n[ıi]z|l[aə]r|d[ıi]\w*)?",
    "kk": r"(?:м|(?<=[жзмнңбвгд])б|(?<=[птксшщқчцфх])п)[ае](?:д[ыі](?:м|ң\w*|қ|к)?|[ғг][ае]н\w*|й|"
    r"й(?:д[ыі]|т[ыі]н|м[ыі][нз]|с[ыі][ңз]|[ыі]н)\w*|с|с(?:т[ае]н|п[ыі][нз])|у(?:[ыіғгд]\w*)?|пт[ыі]\w*)",
    "ky": r"(?:б|(?<=[птксшчцфх])п)(?:[аеоө](?:д[ыиуү](?:м|ң\w*|к)?|г[аеоө]н\w*|й|"
    r"й(?:т|м|б[ыиуү]з|с)\w*|с|с(?:т[аеоө]н|т[ыиуү][кг]\w*)|пт[ыиуү]р\w*)|оо\w*|өө\w*)",
    "uz": r"ma(?:di(?:m|ng|k|lar\w*|ngiz)?|gan\w*|gun\w*|y(?:di\w*|man|miz|san|siz|apti\w*|otgan\w*)?|"
    r"s(?:di\w*|lik\w*|lig\w*|dan|lar)?|bdi|pti|sa(?:m|ng|k|lar)?)|"
    r"ма(?:ди(?:м|нг|к|лар\w*|нгиз)?|ган\w*|гун\w*|й(?:ди\w*|ман|миз|сан|сиз|апти\w*|отган\w*|ётган\w*)?|"
    r"с(?:ди\w*|лик\w*|лиг\w*|дан|лар)?|бди|пти|са(?:м|нг|к|лар)?)",
    "tk": r"m[ae](?:d[iy](?:[mň]|k\w*|g\w*|l[ae]r\w*)?|ý[aä][rn]\w*|z(?:l[ae]r\w*|d[ae]n|"
        r"l[iy][kg]\w*)?|"
    r"j[ae][kg]\w*|s[ae][mňk]?)|m[aä]n(?:d[iy]\w*)?",
}  # fmt: skip

# Ordinary words that the endings fit too: whole words, and beginnings of words.
SPARED_WORDS: dict[str, frozenset[str]] = {
    "tr": frozenset(["adamdan", "namaz", "temaz", "zamandan", "imzalama", "ekmeden"]),
    "az": frozenset(["namaz", "almaz", "əmir"]),
    "kk": frozenset(["алмас", "бабай", "шабай", "абай", "малай", "қамау", "жаппай", "ұзамай"]),
    "ky": frozenset(["аябай", "абай", "сыпай", "бийбай"]),
    "uz": frozenset(["olmas", "almas", "samaz", "may", "май", "олмас", "алмас"]),
    "tk": frozenset(
        [
            "myhman",
            "musulman",
            "gahryman",
            "batman",
            "arman",
            "perman",
            "asman",
            "zaman",
            "derman",
            "orman",
            "roman",
            "duman",
            "aman",
            "güman",
        ]
    ),
}
SPARED_BEGINNINGS: dict[str, tuple[str, ...]] = {
    "tr": ("maddi", "hammadde", "tamam", "komedi"),
    "az": ("təmir", "dəmir", "kömür", "ömür", "sərmay", "nümay", "himay", "baxmayaraq"),
    "kk": ("қарама", "жанармай", "қамау"),
    "ky": ("көбөй", "караба", "долбоор", "чоо"),
    "uz": ("qarama", "қарама"),
    "tk": ("garama", "komandir", "problema", "hökümed"),
}
# A negated bound is a bound: "no more than 50" is "at most 50". "Not only" negates nothing.
BOUNDS: dict[str, str] = {
    "en": r"\b(?:no|not) (?:more|less|fewer|greater|later|earlier|higher|lower|longer) than\b|"
    r"\b(?:not|\w+n't) exceed\w*|\bnot only\b|\bnot just\b",
    "ru": r"\bне (?:более|менее|больше|меньше|выше|ниже|свыше|позднее|позже|раньше|превыша\w+|превыс\w+|"
    r"только)\b",
    "hu": r"\bnem (?:több|kevesebb|nagyobb|kisebb)\b|\bnem halad\w* meg\b|\bmeg nem haladó\w*|\bnem csak\b",
    "tr": r"\b(?:fazla|çok|az|üzerinde|üstünde) (?:değil\w*|olmayan\w*|olmamak)\b|"
    r"\d\D{0,20}\b(?:fazla|çok)(?:sı|u)?(?: \w+)? \w+m[ae](?:d[ıi]|m[ıi]ş)\w*|"
    r"\baş(?:mayan|mıyor|maz|mayacak|mamak)\w*|"
    r"\d\D{0,20}\b(?:geçe?m[ei]|(?:aş|(?:üzerine|üstüne) çık)a?m[aı])\w*|"
    r"\b(?:yalnızca|sadece)\b[^.;]{1,60}?\bdeğil\b",
    "az": r"\b(?:çox|artıq|az) (?:deyil|olmayan\w*|olmamaq)\w*|\baş(?:mayan|mır|mayacaq|mamaq)\w*|"
    r"\d\D{0,20}\b(?:keç(?:məyən|mir|məz|məd)|aşmad)\w*|\b(?:yalnız|təkcə)\b[^.;]{1,60}?\bdeyil\b",
    "kk": r"\b(?:артық|көп|аз|кем) емес\b|\bаспа(?:йды|йтын|ған|ды|уы?)\b|\bасып кетпе\w+",
    "ky": r"\b(?:ашык|көп|аз|кем) эмес\b|\bашпа(?:йт|ган|ды|с|шы|й турган)\b",
    "uz": r"\b(?:ortiq|ko'p|kam|oz) emas\b|\boshma(?:ydi\w*|ydigan|gan|sligi|s)\b|"
    r"\b(?:ортиқ|кўп|кам|оз) эмас\b|\bошма(?:йди\w*|йдиган|ган|слиги|с)\b",
    "tk": r"\b(?:köp|artyk|az|kem) däl\b|\başma(?:ýar|ýan|z|ly däl)\w*|\d\D{0,20}\bgeçme(?:ýär|ýän|z)\w*",
}
