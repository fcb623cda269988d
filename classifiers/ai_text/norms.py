"""How human texts of each language spread on each named feature, to put a single text beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from classifiers.ai_text.assessment import FeatureEvidence
from classifiers.ai_text.features import FEATURES

#: Texts up to and from this many words are compared apart: diversity and compression depend on length.
LENGTH_SPLIT: Final = 150
LENGTHS: Final = ("short", "long")
_REMARKABLE: Final = 75.0
QUANTILES: Final = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class FeatureNorms:
    """Quantiles of human texts and the side on which machine texts lie.

    ``quantiles[(language, "short" | "long")]``: (features, 101); ``direction[language]``: (features,), +1
    where machine texts lie higher, -1 where lower, 0 where the classes do not differ enough to say.
    """

    quantiles: dict[tuple[str, str], NDArray[np.float64]]
    direction: dict[str, NDArray[np.int8]]

    def compare(self, values: NDArray[np.float64], language: str, words: int) -> list[FeatureEvidence]:
        """Place ``values`` (features,) among human texts, the most machine-like first.

        Only features on which the classes differ in this language come back, and only where the text lies
        among the quarter of human texts nearest to the machine's end; an unknown language gives none.
        """
        length = LENGTHS[words >= LENGTH_SPLIT]
        if (language, length) not in self.quantiles:
            return []
        table = self.quantiles[(language, length)]
        found: list[tuple[float, FeatureEvidence]] = []
        for index, name in enumerate(FEATURES):
            direction = int(self.direction[language][index])
            if direction == 0:
                continue
            # Ties are common (many texts have no dash at all): half of the equal ones count as smaller.
            below, above = np.nextafter(values[index], [-np.inf, np.inf])
            percentile = float(np.mean(np.interp([below, above], table[index], 100 * QUANTILES)))
            end: Literal["low", "high"] = "high" if direction > 0 else "low"
            extremity = percentile if direction > 0 else 100 - percentile
            if extremity >= _REMARKABLE:
                found.append((extremity, FeatureEvidence(name, float(values[index]), percentile, end)))
        return [evidence for _, evidence in sorted(found, key=lambda item: -item[0])]

    def save(self, path: Path) -> None:
        """Write the tables as one compressed array file."""
        arrays: dict[str, Any] = {
            f"quantiles/{language}/{length}": table.astype(np.float32)
            for (language, length), table in self.quantiles.items()
        }
        arrays |= {f"direction/{language}": signs for language, signs in self.direction.items()}
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> FeatureNorms:
        """Read what :meth:`save` wrote.

        Raises:
            FileNotFoundError: no file at ``path``.
        """
        quantiles: dict[tuple[str, str], NDArray[np.float64]] = {}
        direction: dict[str, NDArray[np.int8]] = {}
        with np.load(path, allow_pickle=False) as stored:
            for key in stored.files:
                kind, language, *rest = key.split("/")
                if kind == "quantiles":
                    quantiles[(language, rest[0])] = stored[key].astype(np.float64)
                else:
                    direction[language] = stored[key]
        return cls(quantiles, direction)
