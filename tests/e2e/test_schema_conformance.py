"""schemathesis over a running service: whatever the schema allows or forbids, no answer is a failure of ours
or one that the schema does not name.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth"
)
# A short run by default. SCHEMA_SECONDS gives drawn requests and sequences of them that much time.
SECONDS = int(os.environ.get("SCHEMA_SECONDS", "0"))
BUDGET = (
    ["--phases", "examples,coverage,fuzzing,stateful", "--max-time", str(SECONDS)]
    if SECONDS
    else ["--phases", "examples,coverage,stateful", "--max-examples", "3"]
)
TAMGA = [sys.executable, "-c", "from service.cli import main; main()"]


@pytest.mark.timeout(600 + 2 * SECONDS)
def test_no_request_gets_an_answer_that_the_schema_does_not_name(tmp_path: Path) -> None:
    environment = {**os.environ, "TAMGA_HOME": str(tmp_path / "home")}
    made = subprocess.run(
        [*TAMGA, "key", "create", "--name", "schemathesis", "--role", "admin"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with (tmp_path / "log").open("wb") as log:
        command = [*TAMGA, "serve", "--port", address.rpartition(":")[2], "--samples"]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until_ready(address, server, tmp_path / "log")
        # It must not end the key that it sends.
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"), "run", f"{address}/openapi.json",
                "-H", f"Authorization: Bearer {made.stdout.strip()}",
                "--checks", CHECKS, *BUDGET,
                "--generation-deterministic", "--seed", "1",
                "--exclude-operation-id", "rotate_key", "--exclude-operation-id", "revoke_key",
                "--continue-on-failure", "--no-color",
            ],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-5_000:]
        assert "Stateful" in done.stdout
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    assert "failed unexpectedly" not in (tmp_path / "log").read_text()


def wait_until_ready(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            if httpx2.get(f"{address}/readyz", timeout=20).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text())
