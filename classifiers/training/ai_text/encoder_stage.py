"""Fine-tune the encoder: resumable, on the processor or a GPU, with a plateau that can be ended at any time.

Learning rate: warm-up, plateau, and a linear decay over the last fifth of the steps. A stopped run resumes
from its last checkpoint; a run resumed with fewer remaining steps simply decays earlier.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import roc_auc_score
from torch import nn
from tqdm import tqdm

from classifiers.ai_text.encoder import KINDS
from classifiers.ai_text.encoder_model import DetectorEncoder
from classifiers.training.ai_text.batches import Example, PairSampler
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.crops import Crop, cut

_CHECKPOINT: Final = "checkpoint.pt"
_AVERAGE_DECAY: Final = 0.995


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """What the encoder is and how it is trained; stored beside its weights."""

    layers: int = 6
    adapted: int = 4
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.1
    max_tokens: int = 256
    shortest_words: int = 30
    longest_words: int = 160
    pairs: int = 8
    steps: int = 2000
    warm_up: int = 60
    rate: float = 4e-4
    weight_decay: float = 0.02
    contrast: float = 0.15
    kind: float = 0.15
    label_smoothing: float = 0.03
    masked: float = 0.15
    seed: int = 20


def contrastive_loss(
    projected: torch.Tensor, machine: torch.Tensor, temperature: float = 0.2
) -> torch.Tensor:
    """Supervised contrastive loss (Khosla et al. 2020) over unit vectors (n, d) and classes (n,)."""
    similarity = projected @ projected.T / temperature
    itself = torch.eye(len(projected), dtype=torch.bool, device=projected.device)
    similarity = similarity.masked_fill(itself, -1e4)
    same = (machine[:, None] == machine[None, :]) & ~itself
    log_share = similarity - similarity.logsumexp(dim=1, keepdim=True)
    counts = same.sum(1).clamp(min=1)
    return -(log_share * same).sum(1).div(counts).mean()


class EncoderTrainer:
    """One training run in a folder of its own.

    Args:
        base: the packaged encoder's folder.
        folder: checkpoints, the log and the result go here.
        documents: training documents, all languages.
        held_out: documents for the running check; never trained on.
    """

    def __init__(
        self,
        base: Path,
        folder: Path,
        documents: Sequence[Document],
        held_out: Sequence[Document],
        plan: EncoderPlan,
    ) -> None:
        from transformers import AutoTokenizer

        torch.manual_seed(plan.seed)
        self.plan = plan
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = AutoTokenizer.from_pretrained(base)
        self.model = DetectorEncoder(
            base,
            layers=plan.layers,
            adapted=plan.adapted,
            rank=plan.rank,
            alpha=plan.alpha,
            dropout=plan.dropout,
        ).to(self.device)
        # The frozen layers run in bfloat16: twice the speed of single precision where the processor has it.
        self.model.half_frozen()
        self.trained = self.model.trained_state()
        self.average = {name: value.detach().clone() for name, value in self.trained.items()}
        self.optimiser = torch.optim.AdamW(
            self.trained.values(), lr=plan.rate, weight_decay=plan.weight_decay
        )
        self.sampler = PairSampler(documents, seed=plan.seed)
        self.check = _check_crops(held_out, plan)
        self.step = 0

    def resume(self) -> bool:
        """Continue from the folder's checkpoint, if there is one."""
        path = self.folder / _CHECKPOINT
        if not path.exists():
            return False
        # weights_only: a checkpoint holds tensors and plain containers, nothing that may run code.
        stored = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_trained(stored["trained"])
        self.average = stored["average"]
        self.optimiser.load_state_dict(stored["optimiser"])
        kind, numbers, gauss = stored["sampler"]
        self.sampler.restore((kind, tuple(numbers), gauss))
        torch.set_rng_state(stored["torch"].cpu())
        self.step = int(stored["step"])
        return True

    def save_checkpoint(self) -> None:
        """Write everything a resumed run needs; the old checkpoint stays until the new one is complete."""
        kind, numbers, gauss = self.sampler.state()
        path = self.folder / _CHECKPOINT
        partial = path.with_suffix(".partial")
        torch.save(
            {
                "trained": {name: value.detach() for name, value in self.trained.items()},
                "average": self.average,
                "optimiser": self.optimiser.state_dict(),
                "sampler": (kind, list(numbers), gauss),  # type: ignore[call-overload]
                "torch": torch.get_rng_state(),
                "step": self.step,
            },
            partial,
        )
        partial.replace(path)

    def _rate(self) -> float:
        plan = self.plan
        decay_from = 0.8 * plan.steps
        if self.step < plan.warm_up:
            return plan.rate * (self.step + 1) / plan.warm_up
        if self.step > decay_from:
            return plan.rate * max(0.02, (plan.steps - self.step) / (plan.steps - decay_from))
        return plan.rate

    def encode(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """Token ids and mask, padded to the longest text, cut at the plan's window."""
        encoded = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.plan.max_tokens, return_tensors="pt"
        )
        return {name: encoded[name].to(self.device) for name in ("input_ids", "attention_mask")}

    def _mask_tokens(self, encoded: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Hide a random share of each text's tokens, up to ``plan.masked``: topics are what this costs."""
        ids = encoded["input_ids"]
        share = torch.rand(len(ids), 1, device=ids.device) * self.plan.masked
        ordinary = encoded["attention_mask"].bool() & (ids != self.tokenizer.bos_token_id)
        ordinary &= ids != self.tokenizer.eos_token_id
        hidden = (torch.rand(ids.shape, device=ids.device) < share) & ordinary
        return {**encoded, "input_ids": ids.masked_fill(hidden, self.tokenizer.mask_token_id)}

    def train_step(self, examples: Sequence[Example]) -> float:
        """One update; returns the loss."""
        plan = self.plan
        self.model.train()
        machine = torch.tensor([example.machine for example in examples], device=self.device)
        kinds = torch.tensor(
            [KINDS.index(example.label) if example.machine else -100 for example in examples],
            device=self.device,
        )
        encoded = self._mask_tokens(self.encode([example.text for example in examples]))
        logits, kind_logits, projected = self.model(**encoded)
        target = machine.float() * (1 - plan.label_smoothing) + plan.label_smoothing / 2
        loss = nn.functional.binary_cross_entropy_with_logits(logits, target)
        loss = loss + plan.contrast * contrastive_loss(projected, machine)
        loss = loss + plan.kind * nn.functional.cross_entropy(kind_logits, kinds, ignore_index=-100)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(list(self.trained.values()), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            decay = min(_AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
            for name, value in self.trained.items():
                self.average[name].lerp_(value, 1 - decay)
        self.step += 1
        return float(loss.detach())

    def run(self, *, checkpoint_every: int = 50, check_every: int = 500) -> Path:
        """Train to the plan's last step and write the averaged weights; returns their file."""
        bar = tqdm(total=self.plan.steps, initial=self.step, desc="encoder", unit="step", mininterval=10)
        recent: list[float] = []
        while self.step < self.plan.steps:
            examples = self.sampler.batch(
                self.plan.pairs, shortest=self.plan.shortest_words, longest=self.plan.longest_words
            )
            recent.append(self.train_step(examples))
            bar.update()
            if self.step % checkpoint_every == 0:
                self.save_checkpoint()
                self.log({"loss": float(np.mean(recent[-checkpoint_every:]))})
            if self.step % check_every == 0:
                self.log({"auroc": self.auroc()})
                self.export(self.folder / f"step-{self.step}.safetensors")
        bar.close()
        self.save_checkpoint()
        return self.export(self.folder / "encoder.safetensors")

    def log(self, entry: dict[str, Any]) -> None:
        """Append a line to the run's log."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"step": self.step, "time": round(time.time()), **entry}) + "\n")

    def auroc(self) -> dict[str, float]:
        """AUROC of the averaged weights per language on the held-out check."""
        kept = {name: value.detach().clone() for name, value in self.trained.items()}
        self.model.load_trained(self.average)
        scores = self.score([crop.text for crop in self.check])
        self.model.load_trained(kept)
        found: dict[str, float] = {}
        for language in sorted({crop.document.language for crop in self.check}):
            members = [i for i, crop in enumerate(self.check) if crop.document.language == language]
            truth = [self.check[i].document.machine for i in members]
            if len(set(truth)) == 2:
                found[language] = round(float(roc_auc_score(truth, scores[members])), 4)
        return found

    @torch.no_grad()
    def score(self, texts: Sequence[str], batch: int = 16) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Log-odds of the current weights, (n,), one window per text."""
        self.model.eval()
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        scores = np.zeros(len(texts))
        for start in range(0, len(order), batch):
            members = order[start : start + batch]
            logits = self.model(**self.encode([texts[index] for index in members]))[0]
            scores[members] = logits.cpu().numpy()
        return scores

    def export(self, path: Path) -> Path:
        """Write the averaged weights (half precision) with the plan as metadata."""
        tensors = {name: value.to(torch.float16).cpu().contiguous() for name, value in self.average.items()}
        save_file(tensors, path, metadata={"plan": json.dumps(asdict(self.plan)), "step": str(self.step)})
        return path


def _check_crops(documents: Sequence[Document], plan: EncoderPlan, per_cell: int = 20) -> list[Crop]:
    """A small fixed sample per language and class, cut to the longest training length."""
    generator = random.Random(plan.seed)  # noqa: S311 - sampling, not secrecy
    cells: dict[tuple[str, bool], list[Document]] = {}
    for document in documents:
        if document.words >= 80 and document.label != "ai_translated":
            cells.setdefault((document.language, document.machine), []).append(document)
    chosen = [
        document
        for cell in sorted(cells)
        for document in generator.sample(cells[cell], min(per_cell, len(cells[cell])))
    ]
    return [cut(document, plan.longest_words, generator) for document in chosen]


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read weights that :meth:`EncoderTrainer.export` wrote, in single precision."""
    return {name: value.float() for name, value in load_file(path).items()}
