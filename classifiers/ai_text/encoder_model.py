"""The fine-tuned encoder: the lower layers of the packaged model, low-rank corrections, two heads.

Torch form, for training and for building the serving file. Serving itself is
:mod:`classifiers.ai_text.encoder`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from classifiers.ai_text.encoder import KINDS
from classifiers.models.low_rank import LowRankLinear

_ADAPTED: Final = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


class DetectorEncoder(nn.Module):
    """Token ids in; machine log-odds (batch,), kind logits (batch, 3) and the contrastive vector out.

    Args:
        folder: the packaged encoder's transformers folder.
        layers: how many of its layers are kept, from the bottom.
        adapted: how many of those, from the top, get low-rank corrections.
        attention: transformers' attention implementation; "eager" traces into plain products for export.
    """

    def __init__(
        self,
        folder: Path,
        *,
        layers: int,
        adapted: int,
        rank: int,
        alpha: float = 32.0,
        dropout: float = 0.1,
        attention: str = "sdpa",
    ) -> None:
        super().__init__()
        from transformers import AutoModel

        self.encoder = AutoModel.from_pretrained(
            folder, attn_implementation=attention, add_pooling_layer=False
        )
        self.encoder.encoder.layer = self.encoder.encoder.layer[:layers]
        self.encoder.config.num_hidden_layers = layers
        # Dropout inside the layers costs a third of a step on a processor; masked tokens regularise instead.
        for module in self.encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
            if hasattr(module, "dropout_prob"):
                module.dropout_prob = 0.0
        self.encoder.config.attention_probs_dropout_prob = 0.0
        self.encoder.requires_grad_(False)
        for layer in self.encoder.encoder.layer[layers - adapted :]:
            for name in _ADAPTED:
                parent = layer.get_submodule(name.rpartition(".")[0])
                leaf = name.rpartition(".")[2]
                setattr(parent, leaf, LowRankLinear(getattr(parent, leaf), rank, alpha))
        hidden = int(self.encoder.config.hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, 1)
        self.kind_head = nn.Linear(hidden, len(KINDS))
        self.projection = nn.Linear(hidden, 64)

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
            raise ValueError("these weights belong to an encoder of another shape")
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

    def pooled(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Mean over the tokens of the last kept layer, (batch, hidden)."""
        states: Any = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        return torch.as_tensor((states * weights).sum(1) / weights.sum(1).clamp(min=1.0))

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        pooled = self.dropout(self.pooled(input_ids, attention_mask).float())
        projected = nn.functional.normalize(self.projection(pooled), dim=-1)
        return self.head(pooled).squeeze(-1), self.kind_head(pooled), projected
