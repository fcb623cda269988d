"""From raw log-odds to one scale, and from that scale to p-values that bound false alarms.

Two steps. :class:`ScoreScale` removes what language and length do to the log-odds of *human* texts, so that
scores compare across languages and small cells can pool. :class:`ConformalCalibration` then takes
split-conformal p-values (Vovk et al. 2005; Mondrian by language and length) on human texts that no model
was trained on: ``p = (1 + #{calibration >= s}) / (n + 1)``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from classifiers.ai_text.assessment import CalibrationCell

SHORTEST_WORDS: Final = 50
#: Lower ends of the length bins, in words.
BIN_EDGES: Final = (50, 100, 200, 400)
BIN_NAMES: Final = ("50-99", "100-199", "200-399", "400+")
ALL_LENGTHS: Final = "50+"
_TURKIC: Final = ("az", "kk", "ky", "tk", "tr", "uz")
#: Languages whose human texts may stand in for one another once their scores are standardised.
FAMILY_OF: Final[Mapping[str, tuple[str, ...]]] = dict.fromkeys(_TURKIC, _TURKIC)
#: Texts by which a cell's own location and spread count as much as its language's.
_SHRINKAGE: Final = 40.0
#: From here on, in human standard deviations, hardly any human text is left.
CURVE_BEND: Final = 2.0
#: Human standard deviations that a flag must clear beyond the calibration texts. Those come from outlets that
#: training has met; what others publish scores somewhat higher.
UNFAMILIAR_MARGIN: Final = 0.2
_NORMAL_90: Final = 1.2815515594600038
#: Centres of the bins on the logarithmic length scale.
_BIN_CENTRES: Final = np.log([70.0, 140.0, 280.0, 560.0])


def length_bin(words: int) -> int:
    """Index into :data:`BIN_NAMES`; texts below :data:`SHORTEST_WORDS` fall into the first."""
    return max(0, sum(words >= edge for edge in BIN_EDGES) - 1)


def conformal_p_value(calibration: NDArray[np.float64], score: float) -> float:
    """Share of calibration scores at least ``score``, the text itself counted: in (0, 1].

    Args:
        calibration: scores of human texts, ascending, shape (n,); may be empty (p is then 1).
    """
    above = len(calibration) - int(np.searchsorted(calibration, score, side="left"))
    return (1 + above) / (len(calibration) + 1)


def smallest_cell(target_fpr: float) -> int:
    """Calibration texts a verdict at ``target_fpr`` needs: with fewer, no p-value can be that small."""
    return max(1, math.ceil(1 / target_fpr - 1e-9) - 1)


def curve_features(standardised: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a curve of :class:`ScoreScale` weighs: the score, and its part above the bend; (n, 2)."""
    return np.column_stack([standardised, np.maximum(standardised - CURVE_BEND, 0.0)])


def _robust(values: NDArray[np.float64]) -> tuple[float, float]:
    """Median, and spread of the upper half in standard deviations of a normal distribution."""
    middle, upper = np.quantile(values, [0.5, 0.9])
    return float(middle), float(max(upper - middle, 1e-3) / _NORMAL_90)


@dataclass(frozen=True)
class ScoreScale:
    """Location and spread of human log-odds by language and length, and the way on to a probability.

    ``locations`` and ``spreads`` map a language (and ``"any"``) to values at the bin centres, shape (4,).
    ``curves`` maps a language (and ``"any"``) to slope, further slope above :data:`CURVE_BEND` and intercept
    of the log-odds of a machine text, shape (3,); both slopes keep the probability rising.
    """

    locations: dict[str, NDArray[np.float64]]
    spreads: dict[str, NDArray[np.float64]]
    curves: dict[str, NDArray[np.float64]]

    @classmethod
    def fit(cls, scores: NDArray[np.float64], languages: Sequence[str], words: Sequence[int]) -> ScoreScale:
        """Fit locations and spreads to human texts; standardised scores stay the log-odds.

        Small cells lean on their language, small languages on all languages.
        """
        names, bins = np.asarray(languages), np.array([length_bin(count) for count in words])
        centre, width = _robust(scores)
        locations = {"any": np.empty(len(BIN_NAMES))}
        spreads = {"any": np.empty(len(BIN_NAMES))}
        residual = scores.copy()
        for index in range(len(BIN_NAMES)):
            cell = scores[bins == index]
            share = len(cell) / (len(cell) + _SHRINKAGE)
            own = _robust(cell) if len(cell) else (centre, width)
            locations["any"][index] = share * own[0] + (1 - share) * centre
            spreads["any"][index] = math.exp(share * math.log(own[1]) + (1 - share) * math.log(width))
        residual = (scores - locations["any"][bins]) / spreads["any"][bins]
        for language in np.unique(names):
            members = names == language
            shift, factor = _shrunk(residual[members], 0.0, 1.0)
            place, spread = np.empty(len(BIN_NAMES)), np.empty(len(BIN_NAMES))
            for index in range(len(BIN_NAMES)):
                own_shift, own_factor = _shrunk(residual[members & (bins == index)], shift, factor)
                place[index] = locations["any"][index] + own_shift * spreads["any"][index]
                spread[index] = own_factor * spreads["any"][index]
            locations[str(language)], spreads[str(language)] = place, spread
        return cls(locations, spreads, {"any": np.array([1.0, 0.0, 0.0])})

    def standardise(
        self, scores: NDArray[np.float64], language: str, words: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Human standard deviations above the human median of this language and length, shape (n,)."""
        known = language if language in self.locations else "any"
        length = np.log(np.maximum(words, 1))
        location = np.interp(length, _BIN_CENTRES, self.locations[known])
        spread = np.exp(np.interp(length, _BIN_CENTRES, np.log(self.spreads[known])))
        return np.asarray((scores - location) / spread)

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        """The scale as named arrays, for a file."""
        arrays = {f"curve/{language}": curve for language, curve in self.curves.items()}
        for language, location in self.locations.items():
            arrays[f"scale/{language}"] = np.stack([location, self.spreads[language]])
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> ScoreScale:
        """What :meth:`to_arrays` gave; other keys are ignored.

        Raises:
            ValueError: the arrays hold no scale.
        """
        if "curve/any" not in arrays:
            raise ValueError("these arrays hold no score scale")
        scales = {
            key.removeprefix("scale/"): value for key, value in arrays.items() if key.startswith("scale/")
        }
        return cls(
            {language: value[0] for language, value in scales.items()},
            {language: value[1] for language, value in scales.items()},
            {key.removeprefix("curve/"): value for key, value in arrays.items() if key.startswith("curve/")},
        )

    def log_odds(self, standardised: NDArray[np.float64], language: str) -> NDArray[np.float64]:
        """Log-odds of a machine text where both classes are equally common; strictly increasing, (n,)."""
        curve = self.curves[language if language in self.curves else "any"]
        return np.asarray(curve_features(standardised) @ curve[:2] + curve[2])

    def probability(self, standardised: NDArray[np.float64], language: str) -> NDArray[np.float64]:
        """Probability of a machine text where both classes are equally common; strictly increasing, (n,)."""
        return np.asarray(expit(self.log_odds(standardised, language)))


def _shrunk(values: NDArray[np.float64], shift: float, factor: float) -> tuple[float, float]:
    """Location and spread of ``values``, drawn towards ``shift`` and ``factor`` where there are few."""
    if not len(values):
        return shift, factor
    share = len(values) / (len(values) + _SHRINKAGE)
    middle, spread = _robust(values)
    return (
        share * middle + (1 - share) * shift,
        math.exp(share * math.log(spread) + (1 - share) * math.log(factor)),
    )


@dataclass(frozen=True)
class ConformalCalibration:
    """Standardised scores of human calibration texts: ``cells[(language, bin name)]`` ascending.

    ``margin``: human standard deviations by which a text must clear them.
    """

    cells: dict[tuple[str, str], NDArray[np.float64]]
    margin: float = UNFAMILIAR_MARGIN

    def _pool(self, languages: Sequence[str], bins: Sequence[str]) -> NDArray[np.float64]:
        parts = [
            self.cells[(language, name)]
            for language in languages
            for name in bins
            if (language, name) in self.cells
        ]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0)

    def cell_for(
        self, language: str, words: int, target_fpr: float
    ) -> tuple[CalibrationCell, NDArray[np.float64]]:
        """The narrowest pool of texts that can carry a verdict at ``target_fpr``, and its scores.

        Order: this language and length; this language, all lengths; the language family at this length; the
        family at all lengths. A pool twice as large as the verdict needs comes first: with just enough texts
        the threshold is the single most machine-like one, and as erratic. When no pool is large enough the
        language's own comes back, and its size says so.
        """
        here = BIN_NAMES[length_bin(words)]
        family = FAMILY_OF.get(language, (language,))
        candidates = [
            (name, self._pool(languages, bins))
            for languages, bins, name in (
                ((language,), (here,), here),
                ((language,), BIN_NAMES, ALL_LENGTHS),
                (family, (here,), here),
                (family, BIN_NAMES, ALL_LENGTHS),
            )
        ]
        needed = smallest_cell(target_fpr)
        for enough in (2 * needed + 1, needed):
            for index, (name, scores) in enumerate(candidates):
                if len(scores) >= enough:
                    return CalibrationCell(language, name, len(scores), index > 0), scores
        name, scores = candidates[1]
        return CalibrationCell(language, name, len(scores), True), scores

    def p_value(
        self, language: str, words: int, standardised: float, target_fpr: float
    ) -> tuple[CalibrationCell, float]:
        """The cell that answers for a text, and the text's p-value.

        The text must stand out by the margin and, where its language has texts enough, among
        those of all lengths too: a cell of few texts may lack a tail by chance.
        """
        cell, scores = self.cell_for(language, words, target_fpr)
        position = standardised - self.margin
        p_value = conformal_p_value(scores, position)
        everywhere = self._pool((language,), BIN_NAMES)
        if len(everywhere) >= smallest_cell(target_fpr):
            p_value = max(p_value, conformal_p_value(everywhere, position))
        return cell, p_value


def save_calibration(path: Path, scale: ScoreScale, conformal: ConformalCalibration) -> None:
    """Write scale and calibration scores as one compressed array file."""
    arrays: dict[str, Any] = dict(scale.to_arrays())
    for (language, name), scores in conformal.cells.items():
        arrays[f"cell/{language}/{name}"] = scores.astype(np.float32)
    np.savez_compressed(path, **arrays)


def load_calibration(path: Path) -> tuple[ScoreScale, ConformalCalibration]:
    """Read what :func:`save_calibration` wrote.

    Raises:
        FileNotFoundError: no file at ``path``.
        ValueError: the file is no calibration.
    """
    with np.load(path, allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    try:
        scale = ScoreScale.from_arrays(arrays)
    except ValueError as error:
        raise ValueError(f"{path} holds no calibration") from error
    cells: dict[tuple[str, str], NDArray[np.float64]] = {}
    for key, scores in arrays.items():
        kind, _, rest = key.partition("/")
        if kind == "cell":
            language, _, name = rest.partition("/")
            cells[(language, name)] = np.sort(scores.astype(np.float64))
    return scale, ConformalCalibration(cells)
