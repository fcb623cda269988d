"""The torch form of the stance cross-encoder, for training and for building the serving file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from classifiers.models.low_rank import LowRankLinear
from classifiers.stance.evidence import STANCES

_ADAPTED: Final = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
_END_TOKEN: Final = 2
_WIDTH: Final = 256
ALPHA: Final = 32.0


class StanceModule(nn.Module):
    """Claim and evidence in one input; logits of the three stances, (batch, 3), out.

    The packaged encoder reads both texts together; its upper layers carry low-rank corrections. The head sees
    the first token's state, the means over claim and evidence, and how these two differ.

    Args:
        folder: the packaged encoder's transformers folder.
        adapted: how many layers, from the top, are corrected.
        rank: of the corrections.
        attention: transformers' attention implementation; "eager" traces into plain products for export.
    """

    def __init__(self, folder: Path, *, adapted: int, rank: int, attention: str = "sdpa") -> None:
        super().__init__()
        from transformers import AutoModel

        self.encoder = AutoModel.from_pretrained(
            folder, attn_implementation=attention, add_pooling_layer=False
        )
        # Dropout inside the layers costs a third of a step on a processor.
        for module in self.encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
            if hasattr(module, "dropout_prob"):
                module.dropout_prob = 0.0
        self.encoder.config.attention_probs_dropout_prob = 0.0
        self.encoder.requires_grad_(False)
        layers = self.encoder.encoder.layer
        for layer in layers[len(layers) - adapted :]:
            for name in _ADAPTED:
                parent = layer.get_submodule(name.rpartition(".")[0])
                leaf = name.rpartition(".")[2]
                setattr(parent, leaf, LowRankLinear(getattr(parent, leaf), rank, ALPHA))
        hidden = int(self.encoder.config.hidden_size)
        self.dropout = nn.Dropout(0.1)
        self.inner = nn.Linear(5 * hidden, _WIDTH)
        self.head = nn.Linear(_WIDTH, len(STANCES))

    def trained_state(self) -> dict[str, torch.Tensor]:
        """The parameters that training changes, by name."""
        return {name: value for name, value in self.named_parameters() if value.requires_grad}

    def load_trained(self, state: dict[str, torch.Tensor]) -> None:
        """Put back what :meth:`trained_state` gave.

        Raises:
            ValueError: names or shapes do not fit this model.
        """
        own = self.trained_state()
        if set(own) != set(state):
            raise ValueError("these weights belong to a cross-encoder of another shape")
        with torch.no_grad():
            for name, value in state.items():
                own[name].copy_(value)

    def half_frozen(self) -> None:
        """Hold the frozen weights in bfloat16; trained ones stay in single precision."""
        for parameter in self.parameters():
            if not parameter.requires_grad:
                parameter.data = parameter.data.to(torch.bfloat16)

    def merge(self) -> None:
        """Fold the corrections into the linear layers, for export."""
        for module in list(self.encoder.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, LowRankLinear):
                    setattr(module, name, child.merged())

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        encoded: Any = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        states = encoded.last_hidden_state.float()
        mask = attention_mask.float()
        # The tokenizer sets the texts apart by end tokens: claim before the first, evidence after it.
        ends = torch.cumsum((input_ids == _END_TOKEN).to(torch.int64), dim=1)
        claim = _mean(states, mask * (ends == 0).float())
        evidence = _mean(states, mask * (ends > 0).float())
        pooled = torch.cat([states[:, 0], claim, evidence, (claim - evidence).abs(), claim * evidence], dim=1)
        logits: torch.Tensor = self.head(self.dropout(nn.functional.gelu(self.inner(self.dropout(pooled)))))
        return logits


def _mean(states: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (states * weights.unsqueeze(-1)).sum(1) / weights.sum(1, keepdim=True).clamp(min=1.0)
