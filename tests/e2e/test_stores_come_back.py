"""A database or a vector store that is away: the service says so, and goes on by itself when it is back.

The encoder is stood in for; everything else is the service as it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from forks import ForkedService, Forks
from gate import Gate
from sqlalchemy.engine import make_url

from service.errors import PROBLEM_PREFIX

CODE = """
import service.app, service.commands.serve, service.library, service.serving.worker, uvicorn
import sqlalchemy.dialects.postgresql.psycopg
from hash_encoder import HashEncoder
from service.cli import run as tamga
from service.runtime import Runtime

Runtime.encoder = Runtime.search_encoder = property(lambda self: HashEncoder())
Runtime.load = lambda self: getattr(self, "library")
service.serving.worker.AWAY_SECONDS = 0.2

def run(port):
    return tamga(["serve", "--port", port])
"""
RECORD = {"id": "bridge", "claim": "The bridge was opened in 2019.", "language": "en"}


@pytest.fixture
def milvus_gate(milvus_address: str) -> Iterator[Gate]:
    where = urlsplit(milvus_address)
    with Gate((where.hostname or "", where.port or 0)) as gate:
        yield gate


@pytest.fixture
def postgres_gate(postgres_url: str) -> Iterator[Gate]:
    with Gate(f"{make_url(postgres_url).query['host']}/.s.PGSQL.5432") as gate:
        yield gate


def until(client: httpx2.Client, status: int, seconds: float = 120) -> dict[str, Any]:
    """What /readyz says once it answers with `status`."""
    deadline = time.monotonic() + seconds
    while (answer := client.get("/readyz")).status_code != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.timeout(300)
def test_a_vector_store_that_is_away_at_the_start_and_later(milvus_gate: Gate, tmp_path: Path) -> None:
    environment = {
        "TAMGA_HOME": str(tmp_path / "home"),
        "TAMGA_VECTOR_STORE": "milvus",
        "TAMGA_MILVUS_URI": f"http://127.0.0.1:{milvus_gate.port}",
        "TAMGA_MILVUS_SECONDS": "2",
    }
    with Forks(CODE, tmp_path / "log", **environment) as forks:
        service = ForkedService(forks)
        service.start()
        with httpx2.Client(base_url=service.address, timeout=60) as client:
            deadline = time.monotonic() + 60
            while (red := until(client, 503))["checks"]["models"]["status"] == "loading":
                assert time.monotonic() < deadline
            assert red["checks"]["models"]["status"] == "failed"
            assert f"Milvus at http://127.0.0.1:{milvus_gate.port}" in red["checks"]["models"]["detail"]
            # What needs no vectors goes on.
            assert client.get("/v1/keys").status_code == 200
            refused = client.post("/v1/records", json=RECORD)
            assert (refused.status_code, refused.json()["type"]) == (503, PROBLEM_PREFIX + "not-ready")
            milvus_gate.open()
            until(client, 200)
            assert client.post("/v1/records", json=RECORD).status_code == 200
            milvus_gate.shut()
            red = until(client, 503)
            assert red["checks"]["index"]["status"] == "failed"
            assert red["checks"]["database"]["status"] == "ok"
            milvus_gate.open()
            assert until(client, 200)["records"] == 1
        service.end()


@pytest.mark.timeout(300)
def test_a_database_that_is_away_at_the_start_and_later(postgres_gate: Gate, tmp_path: Path) -> None:
    address = f"postgresql+psycopg://tests:secret-1@127.0.0.1:{postgres_gate.port}/postgres"
    environment = {"TAMGA_HOME": str(tmp_path / "home"), "TAMGA_DATABASE_URL": address}
    log = tmp_path / "log"
    with Forks(CODE, log, **environment) as forks:
        service = ForkedService(forks)
        # Whoever started it tries again: systemd, a container's restart policy.
        assert forks.end(forks.start(service.port), how=None) == 1 << 8
        (line,) = log.read_text().splitlines()
        assert line.startswith("tamga: The database cannot be used: database postgresql+psycopg://tests:***@")
        assert "onnection refused" in line
        postgres_gate.open()
        service.start("/readyz")
        with httpx2.Client(base_url=service.address, timeout=60) as client:
            assert client.post("/v1/records", json=RECORD).status_code == 200
            postgres_gate.shut()
            assert until(client, 503)["checks"]["database"]["status"] == "failed"
            assert client.get("/livez").status_code == 200
            refused = client.get("/v1/records")
            assert (refused.status_code, refused.json()["type"]) == (503, PROBLEM_PREFIX + "database")
            assert str(postgres_gate.port) not in refused.text
            assert int(refused.headers["retry-after"]) > 0
            postgres_gate.open()
            assert until(client, 200)["records"] == 1
            assert client.get("/v1/records").json()["items"][0]["id"] == "bridge"
        service.end()
        assert "secret-1" not in log.read_text()
