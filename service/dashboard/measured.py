"""What was measured of the detector that runs here, as its card tells it: tables of figures by language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

# Columns by their headings on the card.
_KINDS: Final = ("language", "label", "texts", "flagged", "95% interval", "human texts", "false alarms")
_RATES: Final = (
    "target", "language", "flagged", "95% interval", "human texts", "false alarms", "upper bound",
    "abstained",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """Of `texts` machine texts of a kind `flagged` were flagged, and of `human_texts` so many, wrongly. As
    written on the card.
    """

    language: str
    label: str
    texts: str
    flagged: str
    interval: str
    human_texts: str
    false_alarms: str


@dataclass(frozen=True, slots=True)
class AtRate:
    """One language at one target rate: the share of machine texts flagged with its 95% interval, of how many
    human texts how many were flagged wrongly, the upper bound of that share, and the share not judged.
    """

    language: str
    flagged: float
    low: float
    high: float
    human_texts: int
    false_alarms: int
    upper_bound: float
    abstained: float


@cache
def by_kind() -> Sequence[Measured]:
    """The figures at the usual rate. Raises ValueError where the card has no such table."""
    return [Measured(*row) for row in _table(_KINDS)]


@cache
def by_rate() -> dict[float, list[AtRate]]:
    """The figures at every rate that can be chosen. Raises ValueError where the card has no such table."""
    found: dict[float, list[AtRate]] = {}
    for target, language, flagged, interval, human, alarms, bound, abstained in _table(_RATES):
        low, _, high = interval.partition(" to ")
        row = AtRate(
            language,
            float(flagged),
            float(low),
            float(high),
            int(human),
            int(alarms.partition(" ")[0]),
            _share(bound),
            _share(abstained),
        )
        found.setdefault(_share(target), []).append(row)
    return found


def _share(percent: str) -> float:
    return round(float(percent.removesuffix("%")) / 100, 6)


def _table(columns: Sequence[str]) -> Iterator[list[str]]:
    """The rows of the first table that has these columns."""
    # By way of the package above it: importing the detector's own would load what it is made of.
    card = files("classifiers").joinpath("ai_text", "weights", "MODEL_CARD.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        for line in card.splitlines()
    ]
    for place, heading in enumerate(rows):
        if set(columns) <= set(heading):
            chosen = [heading.index(name) for name in columns]
            # The line after the heading only draws the table.
            body = rows[place + 2 :]
            end = next((n for n, row in enumerate(body) if len(row) != len(heading)), len(body))
            return ([row[column] for column in chosen] for row in body[:end])
    raise ValueError(f"the detector's card has no table with the columns {', '.join(columns)}")
