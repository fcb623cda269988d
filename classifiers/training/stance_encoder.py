"""Fine-tune the packaged encoder as a cross-encoder for stance: claim and evidence in one input.

    python -m classifiers.training.stance_encoder --data DIR --run FOLDER [--stage general|written] [--fold K]

``general`` trains on changed parallel sentences and other projects' sets and never sees the written variants;
``written`` starts from its result and trains on the variants without those of fold K (all of them without
--fold). The run folder keeps a checkpoint every few hundred steps; the same command goes on from it. The
lower layers stay as they are: they are most of the cost and least of the task.
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
from transformers import AutoModel, AutoTokenizer

from classifiers.models import prepare_models
from classifiers.models.encoder import QUERY
from classifiers.stance.cross_encoder import MAX_TOKENS, pack, stance_module
from classifiers.training.stance_pairs import SUPPORTS, LabelledPair, ParallelPairs, written_variants
from classifiers.training.stance_sets import ENGLISH, NOT_SUPPORTED, english_set, hungarian_set

FOLDS = 4
STEPS_PER_CHECKPOINT = 100
_BUCKET = 32  # batches sorted by length together


def new_model(frozen_layers: int) -> nn.Module:
    """The packaged encoder with an untrained stance head; vocabulary and lower layers are not to be
    changed.
    """
    folder = prepare_models().packaged_folder
    encoder: Any = AutoModel.from_pretrained(folder, attn_implementation="sdpa")
    for module in (encoder.embeddings, *encoder.encoder.layer[:frozen_layers], encoder.pooler):
        if module is not None:
            module.requires_grad_(False)
    return stance_module(encoder)


def trained_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """Only what training changes."""
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    return {name: value.contiguous() for name, value in model.state_dict().items() if name in trained}


def general_pairs(data: Path, count: int, seed: int) -> list[LabelledPair]:
    """The mixture of the first stage: two thirds changed parallel sentences, one third other projects'
    sets.
    """
    rng = random.Random(seed)  # noqa: S311 (no secrets here)
    pairs = list(ParallelPairs(data, seed).draw(count * 2 // 3))
    others = [p for name in ENGLISH if name != "climate-fever" for p in english_set(data, name, dev=False)]
    climate = english_set(data, "climate-fever", dev=False)
    others += rng.sample(climate, min(len(climate), 1500))
    others += hungarian_set(data, dev=False)
    pairs += rng.sample(others, min(len(others), count - len(pairs)))
    rng.shuffle(pairs)
    return pairs


def written_pairs(data: Path, fold: int | None, epochs: int, seed: int) -> list[LabelledPair]:
    """The second stage: the written variants outside ``fold`` and as many fresh parallel pairs as a
    reminder.
    """
    rng = random.Random(seed)  # noqa: S311 (no secrets here)
    kept = [p for p in written_variants(data) if fold is None or fold_of(p.group) != fold]
    pairs: list[LabelledPair] = []
    for epoch in range(epochs):
        pairs += rng.sample(kept, len(kept) // 2)
        pairs += list(ParallelPairs(data, seed + 1 + epoch).draw(len(kept) // 6))
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
        [QUERY + p.pair.claim for p in pairs],
        [p.pair.evidence for p in pairs],
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


def train(model: nn.Module, batches: Batches, run: Path, rate: float) -> None:
    """Train to the end of ``batches``, going on from the checkpoint in ``run`` if there is one."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    steps, warmup = len(batches), max(10, len(batches) // 16)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warmup, max(0.02, (steps - s) / (steps - warmup)))
    )
    first = resume(model, optimizer, schedule, run)
    model.train()
    losses: list[float] = []
    began = time.monotonic()
    for step in range(first, steps):
        inputs, stances = batches[step]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(**inputs)
        loss = stance_loss(logits.float(), stances)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if (step + 1) % 20 == 0:
            pace = (time.monotonic() - began) / (step + 1 - first)
            print(f"step {step + 1}/{steps} loss {np.mean(losses[-60:]):.3f} {pace:.1f} s/step", flush=True)
        if (step + 1) % STEPS_PER_CHECKPOINT == 0 or step + 1 == steps:
            checkpoint(model, optimizer, schedule, step + 1, run)


def checkpoint(model: nn.Module, optimizer: Any, schedule: Any, step: int, run: Path) -> None:
    """Weights as safetensors (what is kept) and the optimiser's state beside them (what is thrown away)."""
    state = {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(), "step": step}
    torch.save(state, run / "training.partial")
    save_file(trained_state(model), run / "weights.partial")
    (run / "weights.partial").replace(run / "weights.safetensors")
    (run / "training.partial").replace(run / "training.pt")


def resume(model: nn.Module, optimizer: Any, schedule: Any, run: Path) -> int:
    """Load the checkpoint in ``run``; the step to go on from, 0 without one."""
    if not (run / "training.pt").exists():
        return 0
    model.load_state_dict(load_file(run / "weights.safetensors"), strict=False)
    state = torch.load(run / "training.pt", weights_only=True)
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return int(state["step"])


def logits_of(model: nn.Module, pairs: Sequence[LabelledPair], batch_size: int = 32) -> np.ndarray[Any, Any]:
    """Logits ``(n, 3)`` of pairs, in their order."""
    tokenizer = AutoTokenizer.from_pretrained(prepare_models().packaged_folder)
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].pair.claim) + len(pairs[i].pair.evidence))
    result = np.zeros((len(pairs), 3), np.float32)
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            with torch.autocast("cpu", dtype=torch.bfloat16):
                result[rows] = model(**tokenise(tokenizer, [pairs[i] for i in rows])).float().numpy()
    return result


def main() -> None:
    """Train one stage, going on from where it stopped."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder for checkpoints and weights")
    parser.add_argument("--stage", choices=("general", "written"), default="general")
    parser.add_argument("--start", type=Path, help="weights.safetensors of the general stage")
    parser.add_argument("--fold", type=int)
    parser.add_argument("--pairs", type=int, default=12_000)
    parser.add_argument(
        "--epochs", type=int, default=1, help="rounds of the written stage, each over half of it"
    )
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--frozen-layers", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pack", type=Path, help="also write the 8-bit weights for serving here, at the end")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.run.mkdir(parents=True, exist_ok=True)
    model = new_model(arguments.frozen_layers)
    if arguments.stage == "general":
        pairs = general_pairs(arguments.data, arguments.pairs, arguments.seed)
    else:
        if arguments.start is None:
            parser.error("--stage written needs --start, the weights of the general stage")
        model.load_state_dict(load_file(arguments.start), strict=False)
        pairs = written_pairs(arguments.data, arguments.fold, arguments.epochs, arguments.seed)
    train(model, Batches(pairs, arguments.batch, arguments.seed), arguments.run, arguments.rate)
    if arguments.pack:
        packed = pack({name: value.detach().numpy() for name, value in trained_state(model).items()})
        np.savez_compressed(arguments.pack, **packed)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
