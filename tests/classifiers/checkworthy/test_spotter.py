from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.checkworthy import ClaimSpotter
from classifiers.checkworthy.features import FEATURE_NAMES, rule_features
from classifiers.checkworthy.spotter import WEIGHTS
from classifiers.models import load_encoder
from classifiers.text import LANGUAGES

# Own wording, in no training file: (language, sentences that state facts, sentences that do not).
SENTENCES = {
    "az": (["Rayonda üç yeni xəstəxana tikilib."], ["Sizcə, hansı film daha yaxşıdır?"]),
    "kk": (["Ауданда үш жаңа аурухана салынды."], ["Сіздің ойыңызша, қай фильм жақсы?"]),
    "ky": (["Райондо үч жаңы оорукана курулду."], ["Сиздин оюңузча, кайсы тасма жакшы?"]),
    "tr": (["İlçede üç yeni hastane yapıldı."], ["Sizce hangi film daha iyi?"]),
    "uz": (["Tumanda uchta yangi shifoxona qurildi."], ["Sizningcha, qaysi film yaxshiroq?"]),
    "tk": (["Etrapda üç sany täze hassahana guruldy."], ["Siziň pikiriňizçe, haýsy film gowy?"]),
    "hu": (["A járásban három új kórház épült."], ["Ön szerint melyik film a jobb?"]),
    "ru": (["В районе построили три новые больницы."], ["Как вы думаете, какой фильм лучше?"]),
    "en": (["Three new hospitals were built in the district."], ["Which film do you think is better?"]),
}


@pytest.fixture(scope="module")
def spotter() -> ClaimSpotter:
    return ClaimSpotter.load()


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(threads=1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_facts_score_above_the_threshold_and_questions_below(
    spotter: ClaimSpotter, encoder, language: str
) -> None:
    facts, others = SENTENCES[language]
    scores = spotter.score([*facts, *others], encoder.encode([*facts, *others]), language)
    assert (scores[: len(facts)] >= spotter.threshold).all(), scores
    assert (scores[len(facts) :] < spotter.threshold).all(), scores


@settings(deadline=None)  # machines differ
@given(st.lists(st.text(max_size=80), max_size=4), st.sampled_from((*LANGUAGES, "other")))
def test_any_sentence_gets_a_probability(spotter: ClaimSpotter, sentences: list[str], language: str) -> None:
    vectors = np.zeros((len(sentences), 384), np.float32)
    for scores in (
        spotter.score(sentences, vectors, language),
        spotter.priority(sentences, vectors, language),
    ):
        assert scores.shape == (len(sentences),)
        assert ((scores >= 0) & (scores <= 1)).all()


def test_wrong_numbers_of_vectors_are_refused(spotter: ClaimSpotter) -> None:
    with pytest.raises(ValueError, match="1 sentences but 2 vectors"):
        spotter.score(["a"], np.zeros((2, 384), np.float32), "en")


def test_rules_see_numbers_questions_and_opinions() -> None:
    fact, question, opinion = rule_features(
        ["Prices rose by 7 % in May 2021.", "Why did prices rise?", "I think it is a shame."], "en"
    )
    column = {name: i for i, name in enumerate(FEATURE_NAMES)}
    assert fact[column["has_percent_or_money"]] == 1
    assert fact[column["dates"]] == 1
    assert question[column["question"]] == 1
    assert opinion[column["opinion_cue"]] == 1
    assert opinion[column["first_person"]] == 1


def test_weights_for_other_features_are_refused(tmp_path: Path) -> None:
    for name in ("head.npz", "head.json"):
        shutil.copy(WEIGHTS / name, tmp_path)
    settings = json.loads((tmp_path / "head.json").read_text())
    settings["features"] = ["nothing"]
    (tmp_path / "head.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match="other rule features"):
        ClaimSpotter.load(tmp_path)
