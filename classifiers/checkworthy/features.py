"""Rule features of a sentence: what makes it checkable (numbers, dates, names, reported speech) and what
does not.

They stand beside the sentence vector in the head. None of them names a language, so they carry over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.checkworthy.cue_words import FIRST_PERSON, MODALITY, OPINION, REPORTING
from classifiers.stance.dates import find_dates
from classifiers.stance.names import find_names
from classifiers.stance.negation import negated
from classifiers.stance.numbers import find_quantities
from classifiers.text import LANGUAGES, fold_case

FEATURE_NAMES: tuple[str, ...] = (
    "numbers",
    "has_percent_or_money",
    "dates",
    "names",
    "reporting_verb",
    "modality",
    "opinion_cue",
    "first_person",
    "negated",
    "question",
    "exclamation",
    "quotation_marks",
    "log_words",
    "very_short",
    "capital_words_share",
)
_WORD = re.compile(r"\w+(?:['’ʻʼ-]\w+)*")
_APOSTROPHES = str.maketrans(dict.fromkeys("ʻʼ’‘`", "'"))
_MANY = 3


def rule_features(sentences: Sequence[str], language: str) -> NDArray[np.float32]:
    """One row per sentence, columns as in ``FEATURE_NAMES``; counts are capped so that lists do not dominate.

    For a language outside the nine only what needs no table is counted.
    """
    rows = [_row(sentence, language) for sentence in sentences]
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), len(FEATURE_NAMES))


def _row(sentence: str, language: str) -> list[float]:
    known = language in LANGUAGES
    quantities = [q for q in find_quantities(sentence, language) if q.certain]
    lowered = fold_case(sentence, language).translate(_APOSTROPHES)
    words = _WORD.findall(sentence)
    capitals = sum(w[0].isupper() for w in words[1:])
    return [
        min(len(quantities), _MANY),
        float(any(q.kind in ("percent", "currency") for q in quantities)),
        min(len(find_dates(sentence, language)), _MANY) if known else 0.0,
        min(len(find_names(sentence, language)), _MANY) if known else min(capitals, _MANY),
        float(_has(REPORTING, language, lowered)),
        float(_has(MODALITY, language, lowered)),
        float(_has(OPINION, language, lowered)),
        float(_has(FIRST_PERSON, language, lowered)),
        float(bool(negated(sentence, language))),
        float("?" in sentence[-3:]),
        float("!" in sentence),
        float(bool(re.search(r"[\"«“„”»]", sentence))),
        math.log1p(min(len(words), 60)),
        float(len(words) < 5),
        capitals / max(1, len(words) - 1),
    ]


def _has(table: dict[str, re.Pattern[str]], language: str, lowered: str) -> bool:
    pattern = table.get(language)
    return bool(pattern and pattern.search(lowered))
