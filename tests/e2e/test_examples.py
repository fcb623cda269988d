"""Every example, run as it stands, and the client, against a real service that is closed by a key."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from index.records import VerifiedRecord
from service.client import Problem, Tamga
from service.samples import sample_articles

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TAMGA = [sys.executable, "-c", "from service.cli import main; main()"]
PAGE = (
    "<!doctype html><html lang='en'><head><title>Bridge</title></head><body><article><h1>Bridge</h1>"
    "<p>The town council opened the rebuilt bridge over the river on Monday, after two years of work. "
    "The mayor thanked the builders, and the first bus crossed it in the afternoon.</p></article></body>"
    "</html>"
)


@dataclass(frozen=True)
class Service:
    address: str
    token: str

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "SERVICE": self.address, "ACCESS_KEY": self.token}

    def client(self) -> Tamga:
        return Tamga(self.address, key=self.token)

    def run(self, example: str, *arguments: Any, **environment: str) -> subprocess.CompletedProcess[str]:
        program = (
            [str(EXAMPLES / example)] if example.endswith(".sh") else [sys.executable, EXAMPLES / example]
        )
        return subprocess.run(
            [*program, *map(str, arguments)],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("examples")
    environment = {
        **os.environ,
        "TAMGA_HOME": str(folder / "home"),
        "TAMGA_WEBHOOKS": "true",
        "TAMGA_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    create = [*TAMGA, "key", "create", "--name", "examples", "--role", "admin"]
    made = subprocess.run(create, env=environment, capture_output=True, text=True, check=True)
    address = f"http://127.0.0.1:{free_port()}"
    with (folder / "log").open("wb") as log:
        command = [*TAMGA, "serve", "--samples", "--port", address.rpartition(":")[2]]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 240
        while True:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            try:
                ready = httpx2.get(f"{address}/readyz")
                if ready.status_code == 200:
                    break
                assert ready.json()["checks"]["models"]["status"] == "loading", ready.text
            except httpx2.TransportError:
                pass
            time.sleep(0.2)
        yield Service(address, made.stdout.strip())
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM), (folder / "log").read_text()


@pytest.fixture
def article(tmp_path: Path) -> Path:
    file = tmp_path / "article.txt"
    file.write_text(next(a.text for a in sample_articles() if a.id == "sample-article-kk-ai-marking"))
    return file


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    file.write_text(PAGE.replace("Bridge", f"Bridge {tmp_path.name}"))
    return file


def test_check_article(service: Service, article: Path) -> None:
    done = service.run("check_article.py", article, "--language", "kk")
    assert done.returncode == 0, done.stderr
    first, *claims = done.stdout.splitlines()
    assert first.startswith(("origin: undetermined", "origin: likely_ai_unconfirmed"))
    assert any(", matched: " in line for line in claims)
    assert any("probability" in line and "http" in line for line in claims)
    refused = service.run("check_article.py", article, ACCESS_KEY="tg_0_0")
    assert refused.returncode == 1
    assert "urn:tamga:problem:unauthenticated" in refused.stderr


def test_audit_archive(service: Service, tmp_path: Path) -> None:
    archive, results, report = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "report.html"))
    articles = sample_articles()[:3]
    lines = [json.dumps({"id": one.id, "text": one.text, "outlet": "Example"}) for one in articles]
    archive.write_text("\n".join(lines) + "\n")
    done = service.run("audit_archive.py", archive, results, report)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in results.read_text().splitlines()]
    assert [line["id"] for line in found] == [one.id for one in articles]
    assert all("origin" in line for line in found)
    assert report.read_text().startswith("<!doctype html>")
    assert not results.with_suffix(".audit").exists()


def test_a_page_is_labelled_by_the_cms_and_verified_by_anybody(
    service: Service, page: Path, tmp_path: Path
) -> None:
    done = service.run("cms_hook.sh", page)
    assert done.returncode == 0, done.stderr
    assert "Bridge" in done.stdout
    assert done.stdout != page.read_text()
    # Sent again, it is the same label.
    again = service.run("cms_hook.sh", page)
    assert again.returncode == 0, again.stderr
    labelled = tmp_path / "labelled.html"
    labelled.write_text(done.stdout)
    checked = service.run("verify_label.py", labelled, ACCESS_KEY="")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.startswith("valid: ")
    labelled.write_text(done.stdout.replace("two years", "three years"))
    changed = service.run("verify_label.py", labelled)
    assert changed.returncode == 1
    assert not changed.stdout.startswith("valid: ")


def test_events_are_received_and_forged_ones_refused(service: Service, tmp_path: Path) -> None:
    port = free_port()
    with service.client() as tamga:
        webhook = tamga.create_webhook(f"http://127.0.0.1:{port}/hook", ["label.issued"])
        process = subprocess.Popen(
            [sys.executable, EXAMPLES / "receive_webhook.py", str(port)],
            env={**service.environment, "WEBHOOK_SECRET": webhook.secret},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert "listening" in process.stderr.readline()
            forged = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
            answer = httpx2.post(f"http://127.0.0.1:{port}/hook", content=b"{}", headers=forged)
            assert answer.status_code == 401
            label = tamga.issue_label(
                text="The library lends tools now.", declared="assisted", human_review="reviewed"
            )
            assert label.status == "active"
            line = process.stdout.readline().split()
            assert line[1:] == ["label.issued", label.id]
        finally:
            process.kill()
            process.wait()
            tamga.delete_webhook(webhook.id)
        assert webhook.id not in [one.id for one in tamga.list_webhooks()]


def test_the_client_reads_and_writes_every_resource(service: Service) -> None:
    with service.client() as tamga:
        record = VerifiedRecord(id="client/1", claim="The water tower was built in 1911.", language="en")
        written = list(
            tamga.put_records([record, {"id": "client/2", "claim": "The mill burnt down in 1950."}])
        )
        assert [one.status for one in written] == ["added", "added"]
        assert tamga.get_record("client/1").claim == record.claim
        assert {"client/1", "client/2"} <= {one.id for one in tamga.list_records()}
        found = tamga.match_claims(["The water tower dates from 1911."], top_k=3)
        assert found.results[0].matches[0].record_id == "client/1"
        compared = tamga.compare_claims([("It was built in 1911.", "The tower was built in 1950.")])
        assert compared.results[0].stance in ("contradicts", "not_enough_info")
        tamga.delete_record("client/2")
        with pytest.raises(Problem) as caught:
            tamga.get_record("client/2")
        assert (caught.value.status, caught.value.type) == (404, "urn:tamga:problem:not-found")
        analysis = tamga.check_article(text="The water tower was built in 1911.", language="en")
        assert tamga.get_analysis(analysis.id) == analysis
        assert next(tamga.list_articles()).id == analysis.id
        assert {"ai_text", "stance"} <= {model.name for model in tamga.list_models()}
        assert tamga.get_model("stance").card.startswith("#")
        proposed = tamga.propose_label(text="A short notice.", declared="none")
        assert proposed.involvement == "none"
        label = tamga.issue_label(text="A longer notice.", declared="assisted", human_review="reviewed")
        assert tamga.get_label(label.id) == label
        assert label.jws is not None
        assert tamga.verify(jws=label.jws).verdict == "valid"
        revoked = tamga.revoke_label(label.id, "printed by mistake")
        assert revoked.status == "revoked"
        assert label.id in [one.id for one in tamga.list_labels("revoked")]
        assert tamga.verify(jws=label.jws).verdict == "not_valid"


def test_every_example_is_listed_and_run_here() -> None:
    programs = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".sh")}
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")
    for program in programs:
        assert f"`{program}" in listed
        assert f'"{program}"' in here
