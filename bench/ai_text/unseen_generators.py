"""``python -m bench.ai_text.unseen_generators --data DIR``: what the fused detector loses on generators that
none of its parts has met.

Every round trains the whole detector anew, encoder included, without one generator of each language, and
judges that generator's held-out texts; the round ``all`` leaves nothing out and is what the others are
compared with. Encoders are trained for few steps (``--steps``), so figures lie below the served detector's:
the difference between the rounds is what counts. Rounds resume and keep their scores; ``--rounds`` names
those to run now, the table shows all that are finished.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from bench.ai_text import held_out
from bench.ai_text.held_out import HEADLINE_WORDS, rate, table
from bench.corpus import arguments, write_json
from classifiers.ai_text.encoder import EncoderScorer
from classifiers.models import prepare_models
from classifiers.training.ai_text.calibrate_stage import ScoredCrop
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.crops import Crop, cut, cut_all
from classifiers.training.ai_text.encoder_stage import EncoderPlan, EncoderTrainer
from classifiers.training.ai_text.fusion_stage import (
    WitnessScores,
    ask_witnesses,
    encoder_scores,
    fit_fusion,
    keep_answers,
    kept_answers,
    standardised,
)
from classifiers.training.ai_text.generators import family
from classifiers.training.ai_text.held_out import at_most
from classifiers.training.ai_text.linear_stage import fit_linear, fit_paired
from classifiers.training.ai_text.splits import select

#: Languages whose corpora hold several generators.
_LANGUAGES: Final = ("en", "ru", "az")
_TRAINING_DOCUMENTS: Final = 4000
_HELD_OUT_HUMAN: Final = 400
_FEWEST_TARGETS: Final = 15
_LONGEST_WORDS: Final = 300
_KINDS: Final = ("ai", "ai_rewritten")
#: What the components of a finished round said, in its folder.
_ANSWERS: Final = "answers.npz"


def plan_rounds(documents: Sequence[Document]) -> dict[str, dict[str, str]]:
    """Name of each round -> language -> the generator family it leaves out."""
    held = [d for d in select(documents, "calibration", "test") if d.words >= HEADLINE_WORDS]
    rounds: dict[str, dict[str, str]] = {"all": {}}
    for language in _LANGUAGES:
        own = [family(d.generator) for d in held if d.language == language and d.label == "ai"]
        names = [name for name in sorted(set(own)) if own.count(name) >= _FEWEST_TARGETS]
        for index, name in enumerate(names):
            rounds.setdefault(str(index + 1), {})[language] = name
    return rounds


def _left_out(document: Document, absent: Mapping[str, str]) -> bool:
    return document.machine and family(document.generator) == absent.get(document.language)


def _train_encoder(documents: Sequence[Document], folder: Path, steps: int) -> Path:
    finished = folder / "encoder.safetensors"
    if finished.exists():
        return finished
    trainer = EncoderTrainer(
        prepare_models().packaged_folder,
        folder,
        select(documents, "train"),
        select(documents, "calibration"),
        replace(EncoderPlan(), steps=steps),
    )
    trainer.resume()
    return trainer.run()


def _sample(documents: Sequence[Document]) -> list[Document]:
    held = [d for d in select(documents, "calibration", "test") if d.words >= HEADLINE_WORDS]
    human = at_most([d for d in held if d.label == "human"], _HELD_OUT_HUMAN)
    return [*human, *(d for d in held if d.label in _KINDS)]


def _crops(documents: Sequence[Document]) -> list[Crop]:
    """One passage of every document, the same in every round."""
    return [cut(document, _LONGEST_WORDS, random.Random(document.id)) for document in documents]


def ask_round(
    documents: Sequence[Document], absent: Mapping[str, str], folder: Path, steps: int
) -> WitnessScores:
    """Train every component without ``absent`` and ask it about the held-out texts, those of ``absent`` too.

    The answers are kept in ``folder``.
    """
    crops = _crops(_sample(documents))
    known = kept_answers(folder / _ANSWERS, crops)
    if known is not None:
        return known
    met = [document for document in documents if not _left_out(document, absent)]
    encoder = EncoderScorer(_train_encoder(met, folder, steps), home=folder / "models")
    training = at_most(
        [d for d in select(met, "train") if d.label in ("human", *_KINDS)], _TRAINING_DOCUMENTS
    )
    cut_training = cut_all(training, per_document=1, seed=3)
    answers = ask_witnesses(
        crops,
        fit_linear(cut_training),
        fit_paired(cut_training),
        encoder_scores(crops, encoder, folder / "encoder-scores.npz"),
    )
    keep_answers(folder / _ANSWERS, answers)
    return answers


def judge_round(answers: WitnessScores, absent: Mapping[str, str]) -> list[dict[str, Any]]:
    """Fuse what the components of a round say.

    Returns:
        One row per held-out text: language, label, generator family, whether it was met in training, and
        its fused log-odds from a fusion that was not fitted on its group.
    """
    unseen = np.array([_left_out(crop.document, absent) for crop in answers.crops])
    fusion, scored = fit_fusion(answers.take(np.flatnonzero(~unseen)))
    left_out = answers.take(np.flatnonzero(unseen))
    scores = fusion.combine(standardised(fusion, left_out))
    scored += [ScoredCrop(crop, score) for crop, score in zip(left_out.crops, scores.tolist(), strict=True)]
    return [_row(item.crop, item.raw, absent) for item in scored]


def _row(crop: Crop, raw: float, absent: Mapping[str, str]) -> dict[str, Any]:
    document = crop.document
    return {
        "language": document.language,
        "label": document.label,
        "family": family(document.generator) if document.machine else "",
        "met": not _left_out(document, absent),
        "raw": round(float(raw), 4),
    }


def _flagged(
    rows: Sequence[Mapping[str, Any]], language: str, label: str, name: str
) -> tuple[int, int, float]:
    """Texts past the 99th percentile of the human ones, texts in all, AUROC."""
    human = np.array([r["raw"] for r in rows if r["language"] == language and r["label"] == "human"])
    target = np.array(
        [r["raw"] for r in rows if (r["language"], r["label"], r["family"]) == (language, label, name)]
    )
    truth = np.r_[np.zeros(len(human)), np.ones(len(target))]
    area = float(roc_auc_score(truth, np.r_[human, target])) if len(target) else float("nan")
    return int((target > np.quantile(human, 0.99)).sum()), len(target), area


def report(rounds: Mapping[str, Mapping[str, str]], finished: Mapping[str, list[dict[str, Any]]]) -> None:
    """Print what each finished round lost against the round that met everything."""
    rows = []
    for name, absent in rounds.items():
        for language, generator in absent.items():
            for label in _KINDS:
                if name not in finished or "all" not in finished:
                    continue
                hits, n, area = _flagged(finished["all"], language, label, generator)
                hits_unseen, _, area_unseen = _flagged(finished[name], language, label, generator)
                if n < _FEWEST_TARGETS:
                    continue
                loss = f"{100 * (hits - hits_unseen) / n:+.0f}"
                areas = f"{area:.3f} / {area_unseen:.3f}"
                rows.append((language, generator, label, rate(hits, n), rate(hits_unseen, n), loss, areas))
    table(
        "Leave one generator out (the fused detector, short encoder trainings)",
        ("language", "generator", "label", "known", "unseen", "loss in points", "AUROC known / unseen"),
        rows,
    )


def main() -> None:
    """Run the chosen rounds and print the table."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--steps", type=int, default=300, help="encoder steps of every round")
    parser.add_argument("--rounds", help="comma-separated names; default: all rounds; none: only the table")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--work", type=Path, help="folder of the prepared documents and of the rounds")
    parser.add_argument("--fresh", action="store_true", help="read the corpora anew")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    documents = [d for d in held_out.read_documents(options) if d.language in _LANGUAGES and not d.attack]
    rounds = plan_rounds(documents)
    wanted = list(rounds) if options.rounds is None else [name for name in options.rounds.split(",") if name]
    if unknown := set(wanted) - set(rounds) - {"none"}:
        parser.error(f"unknown rounds: {', '.join(sorted(unknown))}; there are {', '.join(rounds)}")
    finished: dict[str, list[dict[str, Any]]] = {}
    for name, absent in rounds.items():
        folder = held_out.work_folder(options) / f"unseen-generators-{options.steps}" / name
        folder.mkdir(parents=True, exist_ok=True)
        if name in wanted or (folder / _ANSWERS).exists():
            finished[name] = judge_round(ask_round(documents, absent, folder, options.steps), absent)
    report(rounds, finished)
    write_json(options.json, finished)


if __name__ == "__main__":
    main()
