"""The scale of a value axis: round numbers from zero up."""

from __future__ import annotations

import math
from dataclasses import dataclass

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from 0 to `top` onto pixels from `start` to `end`, with a tick each `step`."""

    top: float
    step: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """The pixel of a value; what lies beyond the ends is drawn at them."""
        share = min(max(value / self.top, 0.0), 1.0)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """The values that are marked."""
        return [number * self.step for number in range(round(self.top / self.step) + 1)]


def scale_to(greatest: float, start: float, end: float, *, ticks: int = 5) -> Scale:
    """A scale that holds `greatest`, in about so many steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not math.isfinite(greatest) or greatest < 0:
        raise ValueError(f"not a value that can be drawn: {greatest}")
    rough = (greatest or 1.0) / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in _ROUND if factor * power >= rough * (1 - 1e-9))
    return Scale(step * math.ceil((greatest or 1.0) / step - 1e-9), step, start, end)
