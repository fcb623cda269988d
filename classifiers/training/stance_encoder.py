"""Fine-tune the packaged encoder as a cross-encoder for stance: claim and evidence in one input.

    python -m classifiers.training.stance_encoder --data DIR --run FOLDER --pack \
        [--start OLDER/weights.safetensors]
    python -m classifiers.training.stance_encoder --data DIR --run FOLDER2 --stage written [--fold K] \
        --start FOLDER/weights.safetensors

``general`` trains on changed parallel sentences and labelled sets and never sees the written variants; it
begins anew, or with the weights of an older run, whose corrections may reach fewer layers. ``written`` goes
on from its result with the variants outside fold K (all of them without --fold). The run folder keeps a
checkpoint; the same command goes on from it. The frozen weights are held in bfloat16, which halves the time
of a step on processors that have it.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoTokenizer

from classifiers.models import prepare_models
from classifiers.models.encoder import QUERY
from classifiers.models.turkmen import respelt
from classifiers.stance.cross_encoder import MAX_TOKENS, STEPS, WEIGHTS, pack
from classifiers.stance.cross_encoder_model import StanceModule
from classifiers.training.stance_pairs import (
    CONTRADICTS,
    SUPPORTS,
    LabelledPair,
    ParallelPairs,
    changed_claims,
    short_statements,
    written_variants,
)
from classifiers.training.stance_sets import (
    NOT_SUPPORTED,
    english_set,
    hungarian_set,
    posts_with_claims,
    turkish_factchecks,
)

FOLDS = 3
ADAPTED_LAYERS, RANK = 12, 32
STEPS_PER_CHECKPOINT = 50
_BUCKET = 32  # batches sorted by length together
_AVERAGE_DECAY = 0.995
# How often each labelled set is gone through in the first stage; the small ones more often. Claims of the
# same sets that are supported are changed by rule as often.
_ROUNDS = {"climate-fever": 1.5, "feversym-dev": 4, "fm2-dev": 4, "healthver-dev": 4}
_CHANGED_ROUNDS = 2
# Share of the short statements in the first stage.
_SHORT = 0.12


def new_model() -> StanceModule:
    """The packaged encoder with untrained corrections and head, its frozen weights in bfloat16."""
    model = StanceModule(prepare_models().packaged_folder, adapted=ADAPTED_LAYERS, rank=RANK)
    model.half_frozen()
    return model


def general_pairs(data: Path, count: int, seed: int) -> list[LabelledPair]:
    """The mixture of the first stage: every labelled set, and changed parallel sentences up to ``count``."""
    rng = random.Random(seed)  # noqa: S311 (no secrets here)
    pairs: list[LabelledPair] = []
    for name, rounds in _ROUNDS.items():
        labelled = english_set(data, name, "encoder")
        pairs += _taken(labelled, rounds, rng)
        pairs += changed_claims(labelled * _CHANGED_ROUNDS, rng)
    # Refuting evidence is rare in the largest set.
    pairs += [p for p in english_set(data, "climate-fever", "encoder") if p.stance == CONTRADICTS] * 2
    pairs += _taken(hungarian_set(data, "encoder", "head"), 0.6, rng)
    pairs += _taken(turkish_factchecks(data), 0.5, rng)
    pairs += _taken(posts_with_claims(data), 0.5, rng)
    pairs += short_statements(int(count * _SHORT), seed)
    pairs += ParallelPairs(data, "encoder", seed).draw(max(0, count - len(pairs)))
    rng.shuffle(pairs)
    return pairs


def _taken(pairs: list[LabelledPair], rounds: float, rng: random.Random) -> list[LabelledPair]:
    """``pairs`` as many times over as ``rounds`` says, the last time a random share of them."""
    return pairs * int(rounds) + rng.sample(pairs, int(len(pairs) * (rounds % 1)))


def written_pairs(data: Path, fold: int | None, seed: int) -> list[LabelledPair]:
    """The second stage: the written variants outside ``fold``, evidence in the claim's language or another,
    and as many pairs of the first stage as a reminder.
    """
    rng = random.Random(seed)  # noqa: S311 (no secrets here)
    kept = [p for p in written_variants(data) if fold is None or fold_of(p.group) != fold]
    same = [p for p in kept if p.pair.claim_language == p.pair.evidence_language]
    across = [p for p in kept if p.pair.claim_language != p.pair.evidence_language]
    pairs = [*same, *rng.sample(across, len(same))]
    pairs += rng.sample(general_pairs(data, 20_000, seed + 1), len(same))
    rng.shuffle(pairs)
    return pairs


def fold_of(group: str) -> int:
    """The fold of a written row: rows are numbered, so this divides them evenly enough."""
    return int(group.removeprefix("row-")) % FOLDS


class Batches:
    """Token ids and targets in a fixed order, so that a run can go on from any step."""

    def __init__(self, pairs: Sequence[LabelledPair], batch_size: int, seed: int) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(prepare_models().packaged_folder)
        rng = random.Random(seed)  # noqa: S311 (no secrets here)
        self._batches: list[list[LabelledPair]] = []
        bucket = batch_size * _BUCKET
        for start in range(0, len(pairs), bucket):
            chunk = sorted(
                pairs[start : start + bucket], key=lambda p: len(p.pair.claim) + len(p.pair.evidence)
            )
            made = [chunk[i : i + batch_size] for i in range(0, len(chunk), batch_size)]
            rng.shuffle(made)
            self._batches += made

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, step: int) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        batch = self._batches[step]
        return tokenise(self._tokenizer, batch), torch.tensor([p.stance for p in batch])


def tokenise(tokenizer: Any, pairs: Sequence[LabelledPair]) -> dict[str, torch.Tensor]:
    """``query: claim </s> evidence`` for each pair; a long pair loses the end of its longer text."""
    encoded = tokenizer(
        [QUERY + respelt(p.pair.claim) for p in pairs],
        [respelt(p.pair.evidence) for p in pairs],
        truncation="longest_first",
        max_length=MAX_TOKENS,
        padding=True,
        return_tensors="pt",
    )
    return {"input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"]}


def stance_loss(logits: torch.Tensor, stances: torch.Tensor) -> torch.Tensor:
    """Cross entropy; "not supported" counts whatever is not "supports"."""
    log_p = torch.log_softmax(logits, dim=1)
    known = stances != NOT_SUPPORTED
    picked = log_p.gather(1, stances.clamp(min=0).unsqueeze(1)).squeeze(1)
    others = torch.logsumexp(log_p[:, [i for i in range(3) if i != SUPPORTS]], dim=1)
    return -torch.where(known, picked, others).mean()


class Run:
    """One training in a folder of its own: the corrections, their running average and the optimiser."""

    def __init__(
        self, model: StanceModule, batches: Batches, folder: Path, rate: float, steps: int | None = None
    ) -> None:
        self.model, self.batches, self.folder, self.rate = model, batches, folder, rate
        self.steps = min(len(batches), steps or len(batches))
        self.trained = model.trained_state()
        self.average = {name: value.detach().clone() for name, value in self.trained.items()}
        self.optimiser = torch.optim.AdamW(self.trained.values(), lr=rate, weight_decay=0.01)
        self.step = 0
        self._resume()

    def train(self) -> dict[str, torch.Tensor]:
        """Train to the last step; the averaged weights. A run resumed with fewer steps decays earlier."""
        steps, warm_up = self.steps, max(10, len(self.batches) // 20)
        self.model.train()
        losses: list[float] = []
        first, began = self.step, time.monotonic()
        for step in range(first, steps):
            inputs, stances = self.batches[step]
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate * min((step + 1) / warm_up, (steps - step) / (steps - warm_up))
            loss = stance_loss(self.model(**inputs), stances)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(list(self.trained.values()), 1.0)
            self.optimiser.step()
            with torch.no_grad():
                decay = min(_AVERAGE_DECAY, (1 + step) / (10 + step))
                for name, value in self.trained.items():
                    self.average[name].lerp_(value, 1 - decay)
            self.step = step + 1
            losses.append(float(loss.detach()))
            if self.step % 20 == 0:
                pace = (time.monotonic() - began) / (self.step - first)
                print(
                    f"step {self.step}/{steps} loss {np.mean(losses[-100:]):.3f} {pace:.2f} s/step",
                    flush=True,
                )
            if self.step % STEPS_PER_CHECKPOINT == 0 or self.step == steps:
                self._checkpoint()
        return self.average

    def _checkpoint(self) -> None:
        """The averaged weights as safetensors (what is kept) and the rest beside them (thrown away)."""
        state = {
            "trained": {name: value.detach() for name, value in self.trained.items()},
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "torch": torch.get_rng_state(),
            "step": self.step,
        }
        torch.save(state, self.folder / "training.partial")
        save_file(self.average, self.folder / "weights.partial")
        (self.folder / "weights.partial").replace(self.folder / "weights.safetensors")
        (self.folder / "training.partial").replace(self.folder / "training.pt")

    def _resume(self) -> None:
        path = self.folder / "training.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        self.model.load_trained(state["trained"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["torch"])
        self.step = int(state["step"])


def write_weights(average: dict[str, torch.Tensor], steps: int) -> None:
    """Put trained weights where serving finds them."""
    packed = pack({name: value.numpy() for name, value in average.items()})
    packed[STEPS] = np.array(steps)
    np.savez_compressed(WEIGHTS, **packed)  # type: ignore[arg-type]


def main() -> None:
    """Train one stage, going on from where it stopped."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder for checkpoints and weights")
    parser.add_argument("--stage", choices=("general", "written"), default="general")
    parser.add_argument("--start", type=Path, help="weights.safetensors of an earlier run")
    parser.add_argument("--fold", type=int)
    parser.add_argument("--pairs", type=int, default=45_000)
    parser.add_argument("--steps", type=int, help="end earlier than after all pairs")
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pack", action="store_true", help="put the result where serving finds it")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.run.mkdir(parents=True, exist_ok=True)
    model = new_model()
    if arguments.start is not None:
        # Corrections of layers that the earlier run left alone begin at nothing.
        model.load_trained(model.trained_state() | load_file(arguments.start))
    if arguments.stage == "general":
        pairs = general_pairs(arguments.data, arguments.pairs, arguments.seed)
    else:
        if arguments.start is None:
            parser.error("--stage written needs --start, the weights of the general stage")
        pairs = written_pairs(arguments.data, arguments.fold, arguments.seed)
    batches = Batches(pairs, arguments.batch, arguments.seed)
    run = Run(model, batches, arguments.run, arguments.rate, arguments.steps)
    average = run.train()
    if arguments.pack:
        write_weights(average, run.step)


if __name__ == "__main__":
    main()
