"""p-values follow their formula, cells pool in order, and the scale keeps order."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.ai_text.calibration import (
    ALL_LENGTHS,
    BIN_NAMES,
    UNFAMILIAR_MARGIN,
    ConformalCalibration,
    ScoreScale,
    conformal_p_value,
    length_bin,
    load_calibration,
    save_calibration,
    smallest_cell,
)

scores = st.floats(-50, 50)


@given(st.lists(scores, max_size=60), scores)
def test_p_value_counts_scores_at_least_as_high(calibration: list[float], score: float) -> None:
    expected = (1 + sum(value >= score for value in calibration)) / (len(calibration) + 1)
    assert conformal_p_value(np.sort(np.array(calibration, dtype=float)), score) == pytest.approx(expected)


@given(st.lists(scores, min_size=1, max_size=60), scores, scores)
def test_a_higher_score_never_has_a_higher_p_value(calibration: list[float], one: float, two: float) -> None:
    ordered = np.sort(np.array(calibration))
    low, high = sorted((one, two))
    assert conformal_p_value(ordered, high) <= conformal_p_value(ordered, low)


def test_false_alarms_stay_within_the_target_on_exchangeable_texts() -> None:
    generator = np.random.default_rng(3)
    alarms = 0
    for _ in range(2000):
        draw = generator.standard_normal(200)
        alarms += conformal_p_value(np.sort(draw[1:]), float(draw[0])) <= 0.05
    assert alarms / 2000 <= 0.065


@pytest.mark.parametrize(("target", "n"), [(0.05, 19), (0.01, 99), (0.001, 999)])
def test_a_verdict_needs_enough_texts_to_reach_its_target(target: float, n: int) -> None:
    assert smallest_cell(target) == n
    assert conformal_p_value(np.zeros(n), 1.0) <= target + 1e-12
    assert conformal_p_value(np.zeros(n - 1), 1.0) > target


@pytest.mark.parametrize(
    ("words", "name"), [(10, "50-99"), (99, "50-99"), (100, "100-199"), (399, "200-399"), (400, "400+")]
)
def test_length_bins_meet_at_their_edges(words: int, name: str) -> None:
    assert BIN_NAMES[length_bin(words)] == name


def test_the_narrowest_sufficient_cell_is_used() -> None:
    calibration = ConformalCalibration(
        {
            ("kk", "100-199"): np.zeros(220),
            ("kk", "50-99"): np.zeros(800),
            ("uz", "100-199"): np.zeros(30),
            ("ru", "100-199"): np.zeros(120),
            ("ru", "50-99"): np.zeros(60),
            ("hu", "100-199"): np.zeros(30),
        }
    )
    own, _ = calibration.cell_for("kk", 150, 0.01)
    assert (own.length_bin, own.n, own.pooled) == ("100-199", 220, False)
    lengths, _ = calibration.cell_for("kk", 150, 0.001)
    assert (lengths.length_bin, lengths.n, lengths.pooled) == (ALL_LENGTHS, 1020, True)
    family, _ = calibration.cell_for("uz", 150, 0.01)
    assert (family.length_bin, family.n, family.pooled) == ("100-199", 250, True)
    barely, _ = calibration.cell_for("ru", 150, 0.01)
    assert (barely.length_bin, barely.n, barely.pooled) == ("100-199", 120, False)
    alone, pool = calibration.cell_for("hu", 150, 0.01)
    assert alone.n == len(pool) == 30 < smallest_cell(0.01)


def _scale() -> tuple[ScoreScale, np.ndarray]:
    generator = np.random.default_rng(0)
    languages = ["ru"] * 300 + ["uz"] * 60
    words = list(generator.integers(50, 800, 360))
    raw = generator.standard_normal(360) * 2 + np.array([3.0] * 300 + [-4.0] * 60)
    return ScoreScale.fit(raw, languages, words), raw


def test_languages_meet_on_one_scale() -> None:
    scale, raw = _scale()
    words = np.full(300, 150)
    russian = scale.standardise(raw[:300], "ru", words)
    uzbek = scale.standardise(raw[300:], "uz", words[:60])
    assert abs(np.median(russian)) < 0.3
    assert abs(np.median(uzbek)) < 1.5 < abs(np.median(raw[:300]) - np.median(raw[300:])) / 2
    assert np.isfinite(scale.standardise(raw[:5], "xx", words[:5])).all()


@given(st.floats(-30, 30), st.floats(-30, 30), st.integers(1, 3000))
def test_a_more_machine_like_text_never_scores_lower(one: float, two: float, words: int) -> None:
    scale, _ = _scale()
    low, high = scale.probability(
        scale.standardise(np.array(sorted((one, two))), "uz", np.array([words, words])), "uz"
    )
    assert 0 <= low <= high <= 1


def test_calibration_survives_its_file(tmp_path: Path) -> None:
    scale, _ = _scale()
    conformal = ConformalCalibration({("ru", "100-199"): np.array([-1.0, 0.5, 2.0])})
    save_calibration(tmp_path / "c.npz", scale, conformal)
    loaded, cells = load_calibration(tmp_path / "c.npz")
    assert cells.cells[("ru", "100-199")].tolist() == [-1.0, 0.5, 2.0]
    words = np.array([60, 700])
    assert np.allclose(
        loaded.standardise(np.ones(2), "ru", words), scale.standardise(np.ones(2), "ru", words)
    )


def test_another_array_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.zeros(1))
    with pytest.raises(ValueError, match="no calibration"):
        load_calibration(tmp_path / "other.npz")


def test_a_flag_must_clear_a_margin_in_its_cell_and_among_all_lengths() -> None:
    short, long = np.linspace(-2.0, 2.0, 300), np.linspace(-2.0, 4.0, 300)
    conformal = ConformalCalibration({("ru", "50-99"): short, ("ru", "400+"): long})

    cell, p_value = conformal.p_value("ru", 60, 2.0 + UNFAMILIAR_MARGIN, 0.01)
    assert (cell.length_bin, cell.n) == ("50-99", 300)
    assert p_value == pytest.approx((1 + 101) / 601)  # its own cell alone would say 2/301
    assert conformal.p_value("ru", 60, 4.0 + 2 * UNFAMILIAR_MARGIN, 0.01)[1] == pytest.approx(1 / 301)
    assert conformal.p_value("ru", 60, 2.0, 0.01)[1] > p_value
