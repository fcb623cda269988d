"""Low-rank corrections of a frozen encoder (LoRA, Hu et al. 2021), shared by trained models."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import nn

#: The linear layers of a transformer layer that are corrected.
_CORRECTED: Final = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


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


class LowRankEncoder(nn.Module):
    """The packaged encoder, frozen, its upper layers corrected; subclasses add heads.

    What training changes are the corrections and the heads.

    Args:
        folder: the packaged encoder's transformers folder.
        layers: how many of its layers are kept, from the bottom; None keeps all.
        adapted: how many of those, from the top, get low-rank corrections.
        rank, alpha: of the corrections.
        attention: transformers' attention implementation; "eager" traces into plain products for export.
    """

    def __init__(
        self, folder: Path, *, layers: int | None, adapted: int, rank: int, alpha: float, attention: str
    ) -> None:
        super().__init__()
        from transformers import AutoModel

        self.encoder = AutoModel.from_pretrained(
            folder, attn_implementation=attention, add_pooling_layer=False
        )
        kept = self.encoder.encoder.layer[:layers]
        self.encoder.encoder.layer = kept
        self.encoder.config.num_hidden_layers = len(kept)
        # Dropout inside the layers costs a third of a step on a processor.
        for module in self.encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
            if hasattr(module, "dropout_prob"):
                module.dropout_prob = 0.0
        self.encoder.config.attention_probs_dropout_prob = 0.0
        self.encoder.requires_grad_(False)
        for layer in kept[len(kept) - adapted :]:
            for name in _CORRECTED:
                parent = layer.get_submodule(name.rpartition(".")[0])
                leaf = name.rpartition(".")[2]
                setattr(parent, leaf, LowRankLinear(getattr(parent, leaf), rank, alpha))

    @property
    def hidden(self) -> int:
        """Width of the encoder's states."""
        return int(self.encoder.config.hidden_size)

    def trained_state(self) -> dict[str, torch.Tensor]:
        """The parameters that training changes, by name."""
        return {name: value for name, value in self.named_parameters() if value.requires_grad}

    def load_trained(self, state: dict[str, torch.Tensor]) -> None:
        """Put back what :meth:`trained_state` gave.

        Raises:
            ValueError: names or shapes do not fit this model.
        """
        own = self.trained_state()
        if set(own) != set(state) or any(own[name].shape != value.shape for name, value in state.items()):
            raise ValueError(f"these weights belong to a {type(self).__name__} of another shape")
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
