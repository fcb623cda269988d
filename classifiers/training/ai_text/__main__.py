"""``python -m classifiers.training.ai_text --data DIR``: corpora in, weights and model card out."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from pathlib import Path

from classifiers.ai_text.calibration import save_calibration
from classifiers.ai_text.detector import (
    CALIBRATION_FILE,
    ENCODER_FILE,
    FUSION_FILE,
    LINEAR_FILE,
    NORMS_FILE,
    PAIRED_FILE,
    WEIGHTS,
)
from classifiers.models import models_home
from classifiers.training.ai_text.calibrate_stage import (
    fit_calibration,
    fit_norms,
)
from classifiers.training.ai_text.card import encoder_facts, figures_table, fusion_facts, write_card
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.crops import cut_all
from classifiers.training.ai_text.evaluation import cross_fit, figures
from classifiers.training.ai_text.held_out import at_most, held_out_scores
from classifiers.training.ai_text.linear_stage import fit_linear, fit_paired
from classifiers.training.ai_text.splits import select
from classifiers.training.ai_text.stored_documents import build_documents, load_stored

STAGES = ("documents", "linear", "encoder", "calibrate")
#: The linear detector learns no more from the ten-thousandth English text; memory would be all it costs.
_LINEAR_DOCUMENTS = 4000
#: What a newsroom may choose among (`service.policy`); the card tells what each costs.
SELECTABLE_RATES = (0.05, 0.01, 0.001)


def train_linear(documents: Sequence[Document], weights: Path) -> None:
    """Fit and write both linear detectors on the training part.

    Translations by machine take no part: to the n-grams they are the human original in other words.
    """
    documents = [document for document in select(documents, "train") if document.label != "ai_translated"]
    crops = cut_all(at_most(documents, _LINEAR_DOCUMENTS), per_document=2, seed=1)
    weights.mkdir(parents=True, exist_ok=True)
    fit_linear(crops).save(weights / LINEAR_FILE)
    fit_paired(crops).save(weights / PAIRED_FILE)


def calibrate(documents: Sequence[Document], weights: Path, work: Path, target_fpr: float) -> None:
    """Fit fusion (where there is an encoder) and calibration, measure by cross-fit, write norms and card."""
    scored, fusion = held_out_scores(documents, weights, work)
    if fusion is not None:
        fusion.save(weights / FUSION_FILE)
    scale, conformal = fit_calibration(scored)
    save_calibration(weights / CALIBRATION_FILE, scale, conformal)
    fit_norms(select(documents, "train")).save(weights / NORMS_FILE)
    found = figures(cross_fit(scored, target_fpr))
    rates = {target: figures(cross_fit(scored, target)) for target in SELECTABLE_RATES}
    training = [
        "Masked linear detector: hashed character 2- to 7-grams of topic-masked text, one weight vector "
        "over all languages, one correction per language. Paired linear detector: character 2- to 5-grams of "
        "whole texts, learnt only from groups that hold a human and a machine text on one subject. Both "
        f"trained on a processor ({platform.machine()}) in minutes."
    ]
    if fusion is not None:
        training.append(encoder_facts(work / "encoder", weights / ENCODER_FILE))
        training.append(fusion_facts(fusion))
    write_card(weights, documents, found, target_fpr=target_fpr, rates=rates, training="\n\n".join(training))
    print(figures_table(found))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen stages in order."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.training.ai_text", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ai_text/LANG.jsonl.gz")
    parser.add_argument("--work", type=Path, help="folder for what passes between stages and checkpoints")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="where weights and card go")
    parser.add_argument("--stages", default="documents,linear,calibrate", help=f"of {', '.join(STAGES)}")
    parser.add_argument("--fpr", type=float, default=0.01, help="false-alarm rate of the card's figures")
    parser.add_argument("--steps", type=int, help="encoder steps; fewer than the plan's to end a run early")
    parser.add_argument("--threads", type=int, default=2, help="processor threads of the encoder stage")
    options = parser.parse_args(arguments)
    stages = options.stages.split(",")
    if unknown := set(stages) - set(STAGES):
        parser.error(f"unknown stages: {', '.join(sorted(unknown))}")
    work = options.work or models_home() / "training" / "ai_text"
    stored = work / "documents.jsonl.gz"
    if "documents" in stages or not stored.exists():
        documents = build_documents(options.data, stored)
    else:
        documents = load_stored(stored)
    if "linear" in stages:
        train_linear(documents, options.weights)
    if "encoder" in stages:
        from classifiers.training.ai_text.encoder_run import train_encoder

        train_encoder(documents, work / "encoder", options.weights, options.steps, options.threads)
    if "calibrate" in stages:
        calibrate(documents, options.weights, work, options.fpr)


if __name__ == "__main__":
    main()
