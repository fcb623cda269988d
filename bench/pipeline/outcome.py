"""What an analysis said, in the form in which programs are compared, and by how much two differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

# As many as the service compares with each claim of an article.
MATCHES: Final = 5
# Scores this near to each other count as equal.
LIMIT: Final = 0.02


@dataclass(frozen=True, slots=True)
class Shown:
    """A record shown beside a sentence."""

    record_id: str
    similarity: float
    stance: str
    stance_scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The origin score of an article, and what is shown for each of its check-worthy sentences, nearest
    first.
    """

    origin: float
    claims: dict[str, list[Shown]]


def differences(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, Any]:
    """How far two programs agree about the same articles.

    A sentence counts for `same_top_matches` where both show a match for it; `shown_by_both` says how many
    those are of the sentences for which either does: at the threshold of showing a thousandth decides.
    """
    origins, similarities, readings = [], [], []
    either_shows = both_show = same = stances = 0
    worthy = [0, 0]
    for one, other in zip(ours, theirs, strict=True):
        origins.append(abs(one.origin - other.origin))
        both = one.claims.keys() & other.claims.keys()
        worthy[0] += len(both)
        worthy[1] += len(one.claims.keys() | other.claims.keys())
        for sentence in one.claims.keys() | other.claims.keys():
            mine, yours = one.claims.get(sentence, []), other.claims.get(sentence, [])
            if not mine and not yours:
                continue
            either_shows += 1
            both_show += bool(mine and yours)
            if not mine or not yours or mine[0].record_id != yours[0].record_id:
                continue
            same += 1
            similarities.append(abs(mine[0].similarity - yours[0].similarity))
            stances += mine[0].stance == yours[0].stance
            readings.append(
                max(
                    abs(mine[0].stance_scores[name] - value) for name, value in yours[0].stance_scores.items()
                )
            )
    return {
        "origin_score": _spread(origins),
        "check_worthy_by_both": [*worthy],
        "shown_by_both": [both_show, either_shows],
        "same_top_matches": same / both_show if both_show else None,
        "similarity": _spread(similarities),
        "same_stances": stances / same if same else None,
        "stance_score": _spread(readings),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        "median": ordered[len(ordered) // 2],
        "p95": ordered[int(0.95 * (len(ordered) - 1))],
        "greatest": ordered[-1],
        "within_limit": sum(value <= LIMIT for value in ordered) / len(ordered),
    }
