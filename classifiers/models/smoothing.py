"""Make what enters the int8 matrix products of an encoder even, so that rounding loses less.

A product in int8 rounds its input to 256 steps of the largest value in the batch, and a few channels of an
encoder are ten to sixty times as large as the others, at the marks that begin and end a text. Two changes,
which alter nothing in exact arithmetic, leave the other channels more than a dozen steps:

- Before attention and before the first product of the feed-forward part, each channel is divided by a factor
  and the weights that read it are multiplied by the same factor, which moves the difficulty into the weights;
  these are rounded per output (SmoothQuant, Xiao et al. 2023, arXiv:2211.10438).
- Before the second product of the feed-forward part one channel towers above all: it is set apart and
  multiplied in float32 (as LLM.int8 does, Dettmers et al. 2022, arXiv:2208.07339).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np
from numpy.typing import NDArray

from classifiers.models.tokens import pad

if TYPE_CHECKING:
    import torch

Tokens = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Token ids and attention mask, each (texts, tokens)."""

_SENTENCES: Final = Path(__file__).with_name("sample_sentences.txt")
# Products of one layer that read the same values; what leaves attention is even enough.
_ATTENTION: Final = ("attention.self.query", "attention.self.key", "attention.self.value")
_FEED_FORWARD_INPUT: Final = "intermediate.dense"
_FEED_FORWARD_OUTPUT: Final = "output.dense"
# How much of a channel's size moves into the weights. Between 0.5 and 0.7 the readings hardly differ.
_MOVED: Final = 0.6
_SMALLEST: Final = 1e-4


def sample_tokens(tokenizer_file: Path) -> Tokens:
    """Sentences in nine languages that were written for this."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_padding()
    lines = _SENTENCES.read_text(encoding="utf-8").splitlines()
    return pad([encoding.ids for encoding in tokenizer.encode_batch_fast(lines)])


def smooth(model: torch.nn.Module, texts: Tokens) -> None:
    """Rewrite the products of ``model.encoder`` in place; what the model computes stays the same.

    Args:
        model: takes ids and mask, and holds a BERT-shaped encoder with plain linear layers as ``encoder``.
        texts: what it is run over to find its large channels.
    """

    encoder = model.get_submodule("encoder")
    largest = _largest_inputs(model, encoder, texts)
    for names in _products(encoder):
        linears = [cast("torch.nn.Linear", encoder.get_submodule(name)) for name in names]
        inputs = largest[names[0]]
        if names[0].endswith(_FEED_FORWARD_OUTPUT):
            even = [_set_apart(linear, int(inputs.argmax())) for linear in linears]
        else:
            factors = _factors(inputs, linears)
            even = [_divided(linear, factors) for linear in linears]
        for name, linear in zip(names, even, strict=True):
            parent, _, leaf = name.rpartition(".")
            setattr(encoder.get_submodule(parent), leaf, linear)


def _factors(inputs: torch.Tensor, readers: list[torch.nn.Linear]) -> torch.Tensor:
    """What to divide each channel by, given its largest magnitude and the layers that read it."""
    import torch

    weights = torch.stack([linear.weight.detach().abs().amax(dim=0) for linear in readers]).amax(dim=0)
    factors = inputs.clamp(min=_SMALLEST) ** _MOVED / weights.clamp(min=_SMALLEST) ** (1 - _MOVED)
    return factors / factors.median()


def _largest_inputs(
    model: torch.nn.Module, encoder: torch.nn.Module, texts: Tokens
) -> dict[str, torch.Tensor]:
    """The largest magnitude per channel of what enters each product, by the first layer that reads it."""
    import torch

    largest: dict[str, torch.Tensor] = {}

    def watch(name: str) -> Callable[[torch.nn.Module, tuple[torch.Tensor, ...]], None]:
        def note(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            largest[name] = inputs[0].abs().amax(dim=(0, 1))

        return note

    watched = [
        encoder.get_submodule(names[0]).register_forward_pre_hook(watch(names[0]))
        for names in _products(encoder)
    ]
    with torch.inference_mode():
        model(*map(torch.from_numpy, texts))
    for handle in watched:
        handle.remove()
    return {name: value.clone() for name, value in largest.items()}


def _products(encoder: torch.nn.Module) -> Iterator[tuple[str, ...]]:
    for number in range(len(encoder.get_submodule("encoder.layer"))):  # type: ignore[arg-type]
        for names in (_ATTENTION, (_FEED_FORWARD_INPUT,), (_FEED_FORWARD_OUTPUT,)):
            yield tuple(f"encoder.layer.{number}.{name}" for name in names)


def _divided(linear: torch.nn.Linear, factors: torch.Tensor) -> torch.nn.Module:
    import torch

    class DividedLinear(torch.nn.Module):
        """A linear layer that divides its input and reads it with larger weights."""

        divisors: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("divisors", 1 / factors)
            self.linear = linear

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            product: torch.Tensor = self.linear(inputs * self.divisors)
            return product

    with torch.no_grad():
        linear.weight.mul_(factors)
    return DividedLinear()


def _set_apart(linear: torch.nn.Linear, channel: int) -> torch.nn.Module:
    import torch

    class TwoPartLinear(torch.nn.Module):
        """A linear layer that reads all channels but one as a matrix product and that one by itself."""

        others: torch.Tensor
        weight: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            others = torch.ones(linear.in_features)
            others[channel] = 0
            self.register_buffer("others", others)
            self.register_buffer("weight", linear.weight.detach()[:, channel].clone())
            self.linear = linear

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            product: torch.Tensor = self.linear(inputs * self.others)
            return product + inputs[..., channel : channel + 1] * self.weight

    part = TwoPartLinear()
    with torch.no_grad():
        linear.weight[:, channel] = 0
    return part
