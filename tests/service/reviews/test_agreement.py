"""Agreement against values worked out elsewhere."""

from __future__ import annotations

import pytest

from service.reviews.agreement import agreement, agreement_by_language


def test_alpha_of_a_published_example() -> None:
    """Two observers, ten units, nominal: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), A:
    alpha is 0.095.
    """
    first, second = "0100000000", "1110010010"
    found = agreement([[one, other] for one, other in zip(first, second, strict=True)])
    assert (found.reviews, found.agreeing) == (10, 6)
    assert found.alpha == pytest.approx(0.095, abs=5e-4)


def test_alpha_of_more_than_two_values() -> None:
    """The same paper, B: two observers, twelve units, five values: alpha is 0.692."""
    meg, owen = "aabbdcccedda", "babbbccceddd"
    found = agreement([[one, other] for one, other in zip(meg, owen, strict=True)])
    assert (found.reviews, found.agreeing) == (12, 9)
    assert found.alpha == pytest.approx(0.692, abs=5e-4)


@pytest.mark.parametrize("units", [[], [["a", "a"]], [["a", "a"], ["a", "a"]], [["a"], ["b"]]])
def test_where_alpha_is_not_defined(units: list[list[str]]) -> None:
    assert agreement(units).alpha is None


def test_perfect_agreement_is_one() -> None:
    assert agreement([["a", "a"], ["b", "b"], ["a", "a"]]).alpha == 1


def test_by_language() -> None:
    judged = [
        (1, "kk", "p1", "none"), (1, "kk", "p2", "none"),
        (2, "kk", "p1", "generated"), (2, "kk", "p2", "generated"),
        (3, "tr", "p1", "none"), (3, "tr", "p2", "generated"),
        (4, "tr", "p1", "generated"), (4, "tr", "p2", "none"),
    ]  # fmt: skip
    everything, by_language = agreement_by_language(judged)
    assert (everything.reviews, everything.agreeing) == (4, 2)
    assert by_language["kk"].alpha == 1
    assert by_language["tr"].alpha is not None
    assert by_language["tr"].alpha < 0
