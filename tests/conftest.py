"""What tests on every floor share: databases of both kinds."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DATABASES = ("sqlite", "postgresql")


def _load_module(*names: str) -> Any:
    # Tests are no package, so that their names need not differ between folders.
    path = Path(__file__).parent.joinpath(*names).with_suffix(".py")
    spec = importlib.util.spec_from_file_location("_".join(("tamga_tests", *names)), path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server for this run; without one the tests that need it are skipped, but fail in CI."""
    module = _load_module("postgres", "server")
    programs = module.server_programs()
    if programs is None:
        assert not os.environ.get("CI"), "CI tests both databases: tests/postgres/install failed"
        pytest.skip("no PostgreSQL server; tests/postgres/install installs Debian's")
    with module.PostgresServer(programs) as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[Any]:
    """A receiver of webhooks: see `webhook_receiver.WebhookReceiver`."""
    with _load_module("webhook_receiver").WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
def postgres_url(postgres_server: Any) -> str:
    """The address of an empty PostgreSQL database."""
    url: str = postgres_server.empty_database()
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'home' / 'tamga.db'}"


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database, once of each kind."""
    url: str = request.getfixturevalue(f"{'sqlite' if request.param == 'sqlite' else 'postgres'}_url")
    return url


@pytest.fixture(scope="session")
def milvus_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that speaks Milvus' protocol, for this run; tests that need one are skipped without it."""
    pytest.importorskip("pymilvus", reason="the extra `cluster` is not installed")
    lite = pytest.importorskip("milvus_lite.adapter.grpc.server", reason="milvus-lite is not installed")
    server, database, port = lite.start_server_in_thread(str(tmp_path_factory.mktemp("milvus")))
    yield f"http://127.0.0.1:{port}"
    server.stop(grace=1).wait()
    database.close()


@pytest.fixture(scope="session")
def milvus_server(milvus_address: str) -> Iterator[Any]:
    """The adapter over that server."""
    from index.stores.milvus import MilvusServer

    server = MilvusServer(milvus_address)
    yield server
    server.close()
