"""The encoder stage of the command: start or resume a run, put its weights where serving finds them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from classifiers.ai_text.detector import ENCODER_FILE
from classifiers.models import prepare_models
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.encoder_stage import EncoderPlan, EncoderTrainer
from classifiers.training.ai_text.splits import select


def train_encoder(
    documents: Sequence[Document], folder: Path, weights: Path, steps: int | None, threads: int
) -> Path:
    """Train on the training part, checking on the calibration part; resumes what ``folder`` holds.

    Args:
        folder: checkpoints and log.
        weights: the finished weights are copied here.
        steps: ends the run earlier or later than the plan; None keeps the plan.
    """
    torch.set_num_threads(threads)
    plan = EncoderPlan()
    if steps is not None:
        plan = replace(plan, steps=steps)
    trainer = EncoderTrainer(
        prepare_models().packaged_folder,
        folder,
        select(documents, "train"),
        select(documents, "calibration"),
        plan,
    )
    trainer.resume()
    finished = trainer.run()
    weights.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(finished, weights / ENCODER_FILE))
