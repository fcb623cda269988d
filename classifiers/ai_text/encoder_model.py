"""The fine-tuned encoder: the lower layers of the packaged model, low-rank corrections, two heads.

Torch form, for training and for building the serving file. Serving itself is
:mod:`classifiers.ai_text.encoder`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from classifiers.ai_text.encoder import KINDS
from classifiers.models.low_rank import LowRankEncoder


class DetectorEncoder(LowRankEncoder):
    """Token ids in; machine log-odds (batch,), kind logits (batch, 3) and the contrastive vector out.

    The arguments are those of :class:`~classifiers.models.low_rank.LowRankEncoder`; ``dropout`` acts on the
    pooled text.
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
        super().__init__(folder, layers=layers, adapted=adapted, rank=rank, alpha=alpha, attention=attention)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.hidden, 1)
        self.kind_head = nn.Linear(self.hidden, len(KINDS))
        self.projection = nn.Linear(self.hidden, 64)

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
