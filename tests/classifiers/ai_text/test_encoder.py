"""The encoder's training moves what it should, resumes where it stopped, and serves what it learnt."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from classifiers.ai_text.encoder import EncoderScorer, encoder_plan
from classifiers.models import prepare_models
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.encoder_stage import (
    EncoderPlan,
    EncoderTrainer,
    contrastive_loss,
    load_weights,
)

PLAN = EncoderPlan(
    layers=2,
    adapted=1,
    rank=4,
    max_tokens=48,
    shortest_words=12,
    longest_words=24,
    pairs=2,
    steps=4,
    warm_up=1,
)
WORDS = {
    False: ["rain", "bread", "tram", "aunt", "dog", "kettle", "fence", "boots", "river", "lamp"],
    True: [
        "synergy",
        "innovation",
        "framework",
        "stakeholder",
        "significance",
        "landscape",
        "robust",
        "seamless",
        "pivotal",
    ],
}


def document(index: int, machine: bool) -> Document:
    generator = random.Random(f"{index}{machine}")
    sentences = tuple(" ".join(generator.choices(WORDS[machine], k=9)).capitalize() + "." for _ in range(12))
    return Document(
        f"{index}{machine}", "en", "ai" if machine else "human", "m" if machine else "", "news",
        "model" if machine else "paper", f"g{index}", "", sentences, 108,
    )  # fmt: skip


@pytest.fixture(scope="module")
def base() -> Path:
    return prepare_models(progress=False).packaged_folder


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return [document(index, machine) for index in range(6) for machine in (False, True)]


def trainer(base: Path, folder: Path, documents: list[Document]) -> EncoderTrainer:
    return EncoderTrainer(base, folder, documents, documents, PLAN)


def test_same_class_neighbours_cost_less() -> None:
    machine = torch.tensor([False, False, True, True])
    near = torch.nn.functional.normalize(torch.tensor([[1.0, 0.1], [1, 0], [0, 1], [0.1, 1]]), dim=-1)
    far = near[[0, 2, 1, 3]]
    assert contrastive_loss(near, machine) < contrastive_loss(far, machine)


def test_a_run_resumes_where_it_stopped(base: Path, tmp_path: Path, documents: list[Document]) -> None:
    whole = trainer(base, tmp_path / "whole", documents)
    losses = [whole.train_step(whole.sampler.batch(2, shortest=12, longest=24)) for _ in range(3)]
    first = trainer(base, tmp_path / "parts", documents)
    assert first.resume() is False
    part = [first.train_step(first.sampler.batch(2, shortest=12, longest=24)) for _ in range(2)]
    first.save_checkpoint()
    second = trainer(base, tmp_path / "parts", documents)
    assert second.resume() is True
    assert second.step == 2
    part.append(second.train_step(second.sampler.batch(2, shortest=12, longest=24)))
    assert part == pytest.approx(losses, abs=1e-3)


def test_only_the_stated_parameters_train(base: Path, tmp_path: Path, documents: list[Document]) -> None:
    run = trainer(base, tmp_path, documents)
    assert all(
        name.split(".")[0] in {"head", "kind_head", "projection"} or name.endswith((".down", ".up"))
        for name in run.trained
    )
    assert not any(".layer.0." in name for name in run.trained)


def test_serving_scores_as_training_does(base: Path, tmp_path: Path, documents: list[Document]) -> None:
    run = trainer(base, tmp_path, documents)
    weights = run.run(checkpoint_every=2, check_every=4)
    assert encoder_plan(weights)["layers"] == 2
    run.model.load_trained(load_weights(weights))
    texts = [document(90 + index, machine).view[:150] for index in range(4) for machine in (False, True)]
    served = np.array([windows.logit for windows in EncoderScorer(weights, home=tmp_path).score(texts)])
    assert served == pytest.approx(run.score(texts), abs=0.1)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert any("auroc" in line for line in lines)
