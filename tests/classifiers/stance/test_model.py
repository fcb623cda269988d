from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from classifiers.stance import STANCES, ClaimEvidence, MatchCalibration, StanceModel
from classifiers.stance.features import FEATURE_NAMES, pair_features
from classifiers.stance.model import WEIGHTS
from classifiers.stance.trees import BoostedTrees
from classifiers.text import LANGUAGES


@pytest.fixture(scope="module")
def model() -> StanceModel:
    return StanceModel.load()


@pytest.fixture(scope="module")
def matches() -> MatchCalibration:
    return MatchCalibration.load()


def test_exported_trees_say_what_the_booster_says_also_with_missing_values() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(400, 5)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    labels = (np.nan_to_num(rows[:, 0]) > 0).astype(int) + (np.nan_to_num(rows[:, 1], nan=2.0) > 0.5)
    booster = HistGradientBoostingClassifier(max_iter=15).fit(rows, labels)
    trees = BoostedTrees.from_sklearn(booster)
    again = BoostedTrees.from_arrays(trees.arrays())
    np.testing.assert_allclose(again.logits(rows), booster.decision_function(rows), atol=1e-4)


def test_the_mean_of_several_trees_is_the_mean_of_their_logits() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(300, 4)).astype(np.float32)
    labels = (rows[:, 0] > 0).astype(int) + (rows[:, 1] > 0.5)
    several = [
        BoostedTrees.from_sklearn(
            HistGradientBoostingClassifier(max_iter=5, max_features=0.5, random_state=seed).fit(rows, labels)
        )
        for seed in (1, 2, 3)
    ]
    mean = np.mean([trees.logits(rows) for trees in several], axis=0)
    np.testing.assert_allclose(BoostedTrees.mean_of(several).logits(rows), mean, atol=1e-5)


# Own wording: a changed number, date or negation contradicts; the same said otherwise does not.
CHANGED = [
    ("Фабрика былтыр 4 200 трактор шығарды.", "В прошлом году завод выпустил 2 400 тракторов.", "kk", "ru"),
    ("The bridge was opened in 1975.", "The bridge was opened to traffic in 1973.", "en", "en"),
    ("Köprü 1973'te açılmadı.", "Köprü 1973'te trafiğe açıldı.", "tr", "tr"),
    ("Qonun 12 ta moddadan iborat.", "Qonun 21 ta moddadan iborat.", "uz", "uz"),
]
SAME = [
    ("The bridge has been open since 1973.", "The bridge was opened to traffic in 1973.", "en", "en"),
    ("Köprü 1973 yılında hizmete girdi.", "Köprü 1973'te trafiğe açıldı.", "tr", "tr"),
    ("Завод өткен жылы 4 200 трактор жасады.", "Завод былтыр 4 200 трактор шығарды.", "kk", "kk"),
]


@pytest.mark.parametrize("pair", CHANGED)
def test_changed_facts_contradict(model: StanceModel, pair: tuple[str, str, str, str]) -> None:
    (result,) = model.compare([ClaimEvidence(*pair)], np.array([0.95]))
    assert result.stance == "contradicts"
    assert result.mismatches


@pytest.mark.parametrize("pair", SAME)
def test_the_same_fact_said_otherwise_is_supported(
    model: StanceModel, pair: tuple[str, str, str, str]
) -> None:
    (result,) = model.compare([ClaimEvidence(*pair)], np.array([0.95]))
    assert result.stance == "supports"


# "At most" and its like around a number that both state.
FERRY = "The night ferry between the two ports takes up to 417 passengers and 60 cars."
PLAIN_FERRY = "Ночной паром между двумя портами берёт 417 пассажиров и 60 машин."
BOUNDED = [
    ("The ferry carries at most 417 passengers and 60 cars.", "en"),
    ("The ferry carries no more than 417 passengers and 60 cars.", "en"),
    ("Паром перевозит не более 417 пассажиров и 60 автомобилей.", "ru"),
    ("Feribot en fazla 417 yolcu ve 60 araç taşıyor.", "tr"),
    ("Bərə ən çoxu 417 sərnişin və 60 avtomobil aparır.", "az"),
    ("Паром 417 жолаушыдан артық емес, 60 көлік тасиды.", "kk"),
    ("Паромго 417ден ашпаган жүргүнчү жана 60 унаа батат.", "ky"),
    ("Parom ko‘pi bilan 417 yo‘lovchi va 60 mashina tashiydi.", "uz"),
    ("Parom 417-den köp däl ýolagçy we 60 ulag alýar.", "tk"),
    ("A kompon nem több mint 417 utas és 60 autó fér el.", "hu"),
]


@pytest.mark.parametrize(("claim", "language"), BOUNDED)
def test_a_bound_around_the_same_number_contradicts_nothing(
    model: StanceModel, claim: str, language: str
) -> None:
    pairs = [ClaimEvidence(claim, FERRY, language, "en"), ClaimEvidence(claim, PLAIN_FERRY, language, "ru")]
    for result in model.compare(pairs, np.array([0.92, 0.9])):
        assert result.stance != "contradicts"
        assert result.mismatches == ()


def test_a_number_beyond_the_bound_contradicts(model: StanceModel) -> None:
    claim = "The ferry carries at most 340 passengers and 60 cars."
    (result,) = model.compare([ClaimEvidence(claim, FERRY, "en", "en")], np.array([0.94]))
    assert result.stance == "contradicts"
    assert [(m.claim_value, m.source_value) for m in result.mismatches] == [("340", "417")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_supports_itself_whatever_its_marks_and_case(model: StanceModel, language: str) -> None:
    evidence = "«1973 — 4 200»: Astana, Ankara."
    pairs = [
        ClaimEvidence(text, evidence, language, language)
        for text in (evidence, '"1973 - 4 200": Astana, Ankara', evidence.lower())
    ]
    assert [result.stance for result in model.compare(pairs)] == ["supports"] * 3


def test_an_unrelated_sentence_decides_nothing(model: StanceModel) -> None:
    pair = ClaimEvidence(
        "The team won the cup.", "The library opens at nine on weekdays and at ten on Sundays.", "en", "en"
    )
    (result,) = model.compare([pair], np.array([0.08]))  # what the packaged encoder finds
    assert result.stance == "not_enough_info"


@settings(deadline=None)  # machines differ
@given(
    st.lists(
        st.tuples(st.text(max_size=40), st.text(max_size=40), st.sampled_from(LANGUAGES)),
        min_size=1,
        max_size=3,
    )
)
def test_any_text_gives_probabilities(model: StanceModel, texts: list[tuple[str, str, str]]) -> None:
    pairs = [ClaimEvidence(claim, evidence, language, "en") for claim, evidence, language in texts]
    for result in model.compare(pairs):
        assert sum(result.scores.values()) == pytest.approx(1, abs=1e-5)
        assert result.stance in STANCES
        assert set(result.guards) == {"number", "date", "name", "negation"}
        assert not result.abstained or result.stance == "not_enough_info"


def test_answers_do_not_depend_on_the_batch(model: StanceModel) -> None:
    pairs = [ClaimEvidence(*p) for p in CHANGED + SAME]
    cosines = np.linspace(0.85, 0.97, len(pairs))
    together = model.compare(pairs, cosines)
    alone = [model.compare([p], cosines[i : i + 1])[0] for i, p in enumerate(pairs)]
    for one, other in zip(together, alone, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=0.001)
        assert (one.stance, one.mismatches, one.guards) == (other.stance, other.mismatches, other.guards)


def test_wrong_numbers_of_cosines_are_refused(model: StanceModel) -> None:
    with pytest.raises(ValueError, match="2 cosines for 1 pairs"):
        model.compare([ClaimEvidence("a", "b", "en", "en")], np.array([0.5, 0.5]))
    assert model.compare([]) == []


def test_feature_rows_are_complete() -> None:
    rows, reports = pair_features([ClaimEvidence(*CHANGED[0])], np.array([0.9]), np.zeros((1, 3)))
    assert rows.shape == (1, len(FEATURE_NAMES))
    assert reports[0].numbers.clashing == (("4 200", "2 400"),)


def test_weights_for_other_features_are_refused(tmp_path: Path) -> None:
    for name in ("stance.npz", "stance.json", "cross_encoder.npz"):
        shutil.copy(WEIGHTS / name, tmp_path)
    settings = json.loads((tmp_path / "stance.json").read_text())
    settings["features"] = settings["features"][:-1]
    (tmp_path / "stance.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match="other features"):
        StanceModel.load(tmp_path)


@settings(deadline=None)  # machines differ
@given(st.sampled_from(LANGUAGES), st.sampled_from(LANGUAGES), st.floats(0.6, 1), st.floats(0.6, 1))
def test_match_probability_rises_with_the_cosine(
    matches: MatchCalibration, one: str, other: str, low: float, high: float
) -> None:
    low, high = sorted((low, high))
    probability = matches.probability(np.array([low, high]), one, other)
    assert 0 <= probability[0] <= probability[1] <= 1
    np.testing.assert_array_equal(probability, matches.probability(np.array([low, high]), other, one))


def test_an_unknown_language_takes_the_common_curve(matches: MatchCalibration) -> None:
    assert 0 < matches.probability(np.array([0.9]), "fr", "en")[0] < 1
    assert matches.suggest_threshold < matches.link_threshold
