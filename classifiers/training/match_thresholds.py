"""From which probability a match may be shown or linked: what searches found, and the thresholds that keep
false links within bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from classifiers.stance.match import MatchCalibration, language_pair
from classifiers.text import LANGUAGES
from classifiers.training.match_examples import Floats, Parallel

# Most queries without a record may still find a neighbour; of those, this share may be linked falsely.
FALSE_LINKS_SAME_STORY = 0.04
FALSE_LINKS_OTHER_STORY = 0.009
LINK_PRECISION = 0.95
FALSE_SUGGESTIONS_SAME_STORY = 0.25
# Of each pair of languages by itself the share must be below this with this confidence: a share seen on few
# documents errs.
FALSE_LINKS_OTHER_STORY_PER_PAIR = 0.01
CONFIDENCE = 0.8

# One for all pairs of languages, or a column of one for each.
Thresholds = float | Floats


@dataclass(frozen=True, slots=True)
class Searches:
    """What searches found, by ordered pair of different languages and sentence: probabilities of the first
    hit with the own record there, without it, and without its whole document; and whether the first hit was
    the own record. All of shape (pairs, sentences).
    """

    found: Floats
    right: NDArray[np.bool_]
    own_absent: Floats
    story_absent: Floats

    @classmethod
    def run(cls, parallel: Parallel, calibration: MatchCalibration) -> Searches:
        """Search every language in every other one."""
        own, story = parallel.hidden(story_absent=False), parallel.hidden(story_absent=True)
        columns: list[tuple[Any, ...]] = []
        for one, other in permutations(LANGUAGES, 2):
            scores = parallel.cosines(one, other)
            best = (scores, np.where(own, -1, scores), np.where(story, -1, scores))
            columns.append(
                (
                    scores.argmax(axis=1) == parallel.asked,
                    *(calibration.probability(b.max(axis=1), one, other) for b in best),
                )
            )
        right, found, own_absent, story_absent = (np.stack(column) for column in zip(*columns, strict=True))
        return cls(found, right, own_absent, story_absent)

    @classmethod
    def together(cls, parts: Sequence[Searches]) -> Searches:
        """The searches of several sets of sentences as one."""
        return cls(*(np.concatenate([getattr(p, f) for p in parts], axis=1) for f in cls.__slots__))

    def links(self, threshold: Thresholds) -> tuple[float, float]:
        """Precision and recall of linking the first hit when the own record is present."""
        linked = self.found >= threshold
        return float((linked & self.right).sum() / max(1, linked.sum())), float(np.mean(linked & self.right))

    def false_links(self, threshold: Thresholds, *, story_absent: bool) -> Floats:
        """Share of sentences linked although their own record (their document) is absent, per pair."""
        absent = self.story_absent if story_absent else self.own_absent
        return np.asarray((absent >= threshold).mean(axis=1), np.float32)


def measured(searches: Sequence[Searches], thresholds: Sequence[Thresholds]) -> dict[str, float]:
    """Figures over all sentences, each quarter at its own threshold."""
    shifted = Searches.together(
        [
            Searches(s.found - t, s.right, s.own_absent - t, s.story_absent - t)
            for s, t in zip(searches, thresholds, strict=True)
        ]
    )
    precision, recall = shifted.links(0.0)
    same = shifted.false_links(0.0, story_absent=False)
    absent = shifted.false_links(0.0, story_absent=True)
    return {
        "precision": precision,
        "recall": recall,
        "false_same_story": float(same.mean()),
        "false_same_story_worst": float(same.max()),
        "false_other_story": float(absent.mean()),
        "false_other_story_worst": float(absent.max()),
    }


def link_threshold(searches: Searches) -> float:
    """The lowest probability that keeps false links and precision within the bounds above, on average over
    the pairs.
    """
    for threshold in np.arange(0.5, 0.995, 0.01):
        if (
            searches.false_links(threshold, story_absent=False).mean() <= FALSE_LINKS_SAME_STORY
            and searches.false_links(threshold, story_absent=True).mean() <= FALSE_LINKS_OTHER_STORY
            and searches.links(threshold)[0] >= LINK_PRECISION
        ):
            return round(float(threshold), 2)
    raise ValueError("no threshold keeps false links within bounds: statements look alike")


def false_links_allowed(searched: int) -> int:
    """How many of ``searched`` sentences may be linked falsely so that the share is below its bound with
    confidence (Clopper and Pearson, one-sided).
    """
    counts = np.arange(searched)
    bounds = beta.ppf(CONFIDENCE, counts + 1, searched - counts)
    allowed = int(np.sum(bounds <= FALSE_LINKS_OTHER_STORY_PER_PAIR)) - 1
    if allowed < 0:
        raise ValueError(f"{searched} sentences are too few to bound false links")
    return allowed


def own_link_thresholds(searches: Searches) -> dict[str, float]:
    """Thresholds of the pairs, by unordered pair, that may link falsely too often at the common one."""
    common = link_threshold(searches)
    own: dict[str, float] = {}
    pairs = np.array([language_pair(*pair) for pair in permutations(LANGUAGES, 2)])
    for pair in sorted(set(pairs.tolist())):
        found = np.sort(searches.story_absent[pairs == pair].ravel())[::-1]
        bound = float(found[false_links_allowed(len(found))])
        if bound >= common:
            own[pair] = min(0.999, round(bound + 0.0006, 3))
    return own


def every_link_threshold(searches: Searches) -> Floats:
    """The threshold of each ordered pair as a column."""
    common, own = link_threshold(searches), own_link_thresholds(searches)
    pairs = permutations(LANGUAGES, 2)
    return np.array([[own.get(language_pair(*pair), common)] for pair in pairs], np.float32)


def suggest_threshold(searches: Searches) -> float:
    """The lowest probability at which a sentence without its record is shown a neighbour not too often."""
    for threshold in np.arange(0.05, 0.95, 0.01):
        if searches.false_links(threshold, story_absent=False).mean() <= FALSE_SUGGESTIONS_SAME_STORY:
            return round(float(threshold), 2)
    raise ValueError("no threshold keeps false suggestions within bounds")
