"""Witnesses are heard on one scale, none too loudly, and the encoder's windows cover the text."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from classifiers.ai_text.calibration import ScoreScale
from classifiers.ai_text.encoder import TextWindows, window_ranges
from classifiers.ai_text.features import FEATURES
from classifiers.ai_text.fusion import MODELS, WITNESSES, Fusion


def flat_scale(centre: float) -> ScoreScale:
    return ScoreScale({"any": np.full(4, centre)}, {"any": np.ones(4)}, {"any": np.array([1.5, 0.0, -0.5])})


def logits(linear: float, paired: float, encoder: float) -> dict[str, NDArray[np.float64] | None]:
    return {"linear": np.array([linear]), "paired": np.array([paired]), "encoder": np.array([encoder])}


@pytest.fixture
def fusion() -> Fusion:
    count = len(FEATURES)
    weights = np.zeros(len(WITNESSES))
    weights[:4] = [1.0, 0.5, 2.0, -0.5]
    return Fusion(
        {"linear": flat_scale(1.0), "paired": flat_scale(0.0), "encoder": flat_scale(-2.0)},
        {"any": np.zeros(count)},
        {"any": np.full(count, 2.0)},
        weights,
        0.25,
    )


def test_witnesses_are_standardised_and_summed(fusion: Fusion) -> None:
    features = np.zeros((1, len(FEATURES)))
    features[0, 0] = 4.0
    seen = fusion.witnesses(logits(3.0, 4.0, -1.0), features, "ru", np.array([150]))
    assert seen[0, :4].tolist() == [2.0, 4.0, 1.0, 2.0]
    assert fusion.combine(seen)[0] == pytest.approx(2.0 + 2.0 + 2.0 - 1.0 + 0.25)


def test_a_model_that_does_not_know_the_language_has_no_say(fusion: Fusion) -> None:
    features = np.zeros((1, len(FEATURES)))
    silent = {**logits(3.0, 4.0, -1.0), "paired": None}
    assert fusion.witnesses(silent, features, "ru", np.array([150]))[0, 1] == 0.0


def test_a_model_speaks_only_for_a_machine(fusion: Fusion) -> None:
    features = np.zeros((1, len(FEATURES)))
    both = logits(-3.0, 4.0, -1.0)
    assert fusion.witnesses(both, features, "ru", np.array([150]))[0, :3].tolist() == [0.0, 4.0, 1.0]
    outspoken = dataclasses.replace(fusion, quietest=-8.0)
    assert outspoken.witnesses(both, features, "ru", np.array([150]))[0, :3].tolist() == [-4.0, 4.0, 1.0]


def test_a_fusion_of_before_hears_both_sides(fusion: Fusion, tmp_path: Path) -> None:
    fusion.save(tmp_path / "fusion.npz")
    with np.load(tmp_path / "fusion.npz") as stored:
        np.savez(tmp_path / "old.npz", **{name: stored[name] for name in stored.files if name != "quietest"})
    assert Fusion.load(tmp_path / "fusion.npz").quietest == 0.0
    assert Fusion.load(tmp_path / "old.npz").quietest == -8.0


def test_no_single_witness_decides_without_limit(fusion: Fusion) -> None:
    features = np.full((1, len(FEATURES)), 1e6)
    seen = fusion.witnesses(logits(1e6, 1e6, -1e6), features, "ru", np.array([150]))
    assert np.abs(seen).max() <= 8.0
    assert np.abs(seen[0, len(MODELS) :]).max() <= 3.0


def test_fusion_survives_its_file(fusion: Fusion, tmp_path: Path) -> None:
    fusion.save(tmp_path / "fusion.npz")
    loaded = Fusion.load(tmp_path / "fusion.npz")
    arguments = (logits(0.5, 0.3, 0.1), np.ones((1, len(FEATURES))), "kk", np.array([70]))
    assert loaded.combine(loaded.witnesses(*arguments)) == pytest.approx(
        fusion.combine(fusion.witnesses(*arguments))
    )
    assert loaded.scales["linear"].curves["any"].tolist() == [1.5, 0.0, -0.5]


def test_weights_for_other_witnesses_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "fusion.npz", weights=np.zeros(3))
    with pytest.raises(ValueError, match="witnesses"):
        Fusion.load(tmp_path / "fusion.npz")


@given(st.integers(1, 6000), st.integers(2, 30))
def test_windows_cover_the_text_and_respect_their_number(tokens: int, most: int) -> None:
    ranges = window_ranges(tokens, 254, most)
    assert len(ranges) <= most
    assert ranges[0][0] == 0
    assert ranges[-1][1] == tokens
    assert all(0 <= first < last <= tokens and last - first <= 254 for first, last in ranges)
    if len(ranges) < most:
        assert all(one[1] > two[0] for one, two in itertools.pairwise(ranges))


def test_longer_windows_weigh_more() -> None:
    windows = TextWindows(
        np.array([[0, 300], [300, 400]]), np.array([1.0, -3.0]), np.array([[4.0, 0, 0], [0, 4, 0]])
    )
    assert windows.logit == pytest.approx(0.0)
    assert windows.kind_logits.tolist() == [3.0, 1.0, 0.0]
    empty = TextWindows(np.zeros((0, 2), np.int64), np.zeros(0), np.zeros((0, 3)))
    assert empty.logit == 0.0
