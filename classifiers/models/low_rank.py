"""Low-rank corrections of frozen linear layers (LoRA, Hu et al. 2021), shared by trained models."""

from __future__ import annotations

import torch
from torch import nn


class LowRankLinear(nn.Module):
    """A frozen linear layer plus a trained product of two thin matrices."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scale = alpha / rank

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        down, up = self.down.to(inputs.dtype), (self.scale * self.up).to(inputs.dtype)
        correction = nn.functional.linear(nn.functional.linear(inputs, down), up)
        return torch.as_tensor(self.base(inputs) + correction)

    def merged(self) -> nn.Linear:
        """The plain linear layer this one computes in evaluation."""
        with torch.no_grad():
            self.base.weight += self.scale * self.up @ self.down
        return self.base
