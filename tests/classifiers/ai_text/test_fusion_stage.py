"""The fusion hears most the witness that tells the classes apart; a silent one has no say."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from classifiers.ai_text.features import FEATURES
from classifiers.ai_text.fusion import MODELS
from classifiers.training.ai_text.calibrate_stage import ScoredCrop
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.crops import Crop
from classifiers.training.ai_text.fusion_stage import WitnessScores, fit_fusion, standardised

LANGUAGES = ("ru", "kk")


def crop(index: int, machine: bool) -> Crop:
    label = "ai" if machine else "human"
    document = Document(
        f"{index}-{machine}", LANGUAGES[index % 2], label, "model" if machine else "", "news",
        "paper", f"g{index}", "", ("A sentence of five words.",), 120,
    )  # fmt: skip
    return Crop(document, document.sentences, 120)


@pytest.fixture(scope="module")
def answers() -> WitnessScores:
    """The encoder knows, the masked model guesses, the paired one does not know Kazakh."""
    generator = np.random.default_rng(4)
    crops = [crop(index, machine) for index in range(150) for machine in (False, True)]
    machine = np.array([item.document.machine for item in crops], dtype=float)
    noise = generator.standard_normal((3, len(crops)))
    paired = machine + noise[1]
    paired[[item.document.language == "kk" for item in crops]] = np.nan
    models = {"linear": noise[0], "paired": paired, "encoder": 2 * machine + noise[2]}
    return WitnessScores(crops, models, generator.standard_normal((len(crops), len(FEATURES))))


def test_the_witness_that_knows_is_heard_most(answers: WitnessScores) -> None:
    fusion, scored = fit_fusion(answers)
    weights = dict(zip(MODELS, fusion.weights, strict=False))
    assert weights["encoder"] > weights["paired"] > 0
    assert weights["encoder"] > 3 * abs(weights["linear"])
    truth = [not item.human for item in scored]
    assert roc_auc_score(truth, [item.raw for item in scored]) > 0.9


def test_a_silent_witness_has_no_say(answers: WitnessScores) -> None:
    fusion, _ = fit_fusion(answers)
    inputs = standardised(fusion, answers)
    silent = np.isnan(answers.models["paired"])
    assert silent.any()
    assert (inputs[silent, MODELS.index("paired")] == 0).all()
    assert np.ptp(inputs[~silent, MODELS.index("paired")]) > 1
    assert not np.isnan(inputs).any()


def test_parts_of_the_answers_keep_their_order(answers: WitnessScores) -> None:
    part = answers.take(np.array([5, 2]))
    assert [item.document.id for item in part.crops] == ["2-True", "1-False"]
    assert part.models["encoder"].tolist() == answers.models["encoder"][[5, 2]].tolist()
    assert all(item.language == "ru" for item in answers.by("paired"))


def test_no_text_is_scored_by_a_fusion_fitted_on_its_group(answers: WitnessScores) -> None:
    """An attacked text takes no part in the fit: the fusion changes, but not the one of that text's fold."""
    flipped = next(i for i, item in enumerate(answers.crops) if item.document.machine)
    attacked = dataclasses.replace(answers.crops[flipped].document, attack="typos")
    crops = [*answers.crops]
    crops[flipped] = Crop(attacked, attacked.sentences, 120)
    before, scored = fit_fusion(answers)
    after, scored_after = fit_fusion(dataclasses.replace(answers, crops=crops))
    assert before.weights.tolist() != after.weights.tolist()

    def raw(found: list[ScoredCrop]) -> float:
        return found[flipped].raw

    assert raw(scored_after) == pytest.approx(raw(scored), abs=1e-9)
