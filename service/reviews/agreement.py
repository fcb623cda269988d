"""How far reviewers agree: Krippendorff's alpha (nominal) over reviews that two judged without seeing each
other's opinion, in all and by language. 1 is perfect agreement, 0 what chance would give.

Krippendorff, K. (2018), Content Analysis, 4th ed., ch. 12.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement among `reviews` doubly judged reviews. `alpha` is None where it is not defined: with fewer
    than two of them, or where everybody always said the same.
    """

    reviews: int
    agreeing: int
    alpha: float | None


def agreement_by_language(
    judged: Iterable[tuple[int, str, str, str]],
) -> tuple[Agreement, dict[str, Agreement]]:
    """Agreement in all, and by language, of (review, language, reviewer, outcome)."""
    units: dict[tuple[str, int], list[str]] = defaultdict(list)
    for review, language, _reviewer, outcome in judged:
        units[language, review].append(outcome)
    languages = sorted({language for language, _ in units})
    by_language = {
        language: agreement([values for (code, _), values in units.items() if code == language])
        for language in languages
    }
    return agreement(list(units.values())), by_language


def agreement(units: Iterable[list[str]]) -> Agreement:
    """Agreement over units, each with what its judges said."""
    paired = [values for values in units if len(values) > 1]
    agreeing = sum(len(set(values)) == 1 for values in paired)
    return Agreement(len(paired), agreeing, _alpha(paired))


def _alpha(units: list[list[str]]) -> float | None:
    values = sorted({value for unit in units for value in unit})
    if len(units) < 2 or len(values) < 2:
        return None
    # Both load only where somebody asks.
    import krippendorff
    import numpy as np

    counts = np.array([[unit.count(value) for value in values] for unit in units])
    found = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    return round(float(found), 4)
