from __future__ import annotations

import time

import psycopg
import pytest
from sqlalchemy.engine import make_url


class Kills:
    """Moments of `kill -9` in a test, and what has to pass after each before anybody looks."""

    def __init__(self, database_url: str) -> None:
        self._url = make_url(database_url)

    def settle(self) -> None:
        """PostgreSQL outlives its client: wait until it has ended what the killed one had begun."""
        if self._url.get_backend_name() == "sqlite":
            return
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        deadline = time.monotonic() + 30
        address = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as link:
            while (row := link.execute(query).fetchone()) != (0,):
                assert time.monotonic() < deadline, row
                time.sleep(0.005)


@pytest.fixture
def kills(database_url: str) -> Kills:
    return Kills(database_url)
