"""The review desk of `review_newsroom` on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from review_newsroom import Newsroom


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def newsroom(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """One for all tests of a file: each makes reviews of its own."""
    home = tmp_path_factory.mktemp("newsroom")
    url = f"sqlite:///{home / 'tamga.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").empty_database()
    made = Newsroom(url, home)
    yield made
    made.store.close()


@pytest.fixture
def decided_events(newsroom: Newsroom) -> Callable[[str], list[str]]:
    """The history of a review, as kinds of events."""

    def kinds(review_id: str) -> list[str]:
        found = newsroom.store.reviews.whole(review_id)
        assert found is not None
        return [event.kind for event in found[2]]

    return kinds
