"""The torch form of the stance cross-encoder, for training and for building the serving file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from classifiers.models.low_rank import LowRankEncoder
from classifiers.stance.evidence import STANCES

_END_TOKEN: Final = 2
_WIDTH: Final = 256
ALPHA: Final = 32.0


class StanceModule(LowRankEncoder):
    """Claim and evidence in one input; logits of the three stances, (batch, 3), out.

    The packaged encoder reads both texts together; its upper layers carry low-rank corrections. The head sees
    the first token's state, the means over claim and evidence, and how these two differ.

    The arguments are those of :class:`~classifiers.models.low_rank.LowRankEncoder`, which keeps all layers.
    """

    def __init__(self, folder: Path, *, adapted: int, rank: int, attention: str = "sdpa") -> None:
        super().__init__(folder, layers=None, adapted=adapted, rank=rank, alpha=ALPHA, attention=attention)
        self.dropout = nn.Dropout(0.1)
        self.inner = nn.Linear(5 * self.hidden, _WIDTH)
        self.head = nn.Linear(_WIDTH, len(STANCES))

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
