"""The client against a real service that is closed by a key: every resource, every operation of the API.

Models are stood in for; what needs them is asked by tests/e2e/test_examples.py.
"""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from forks import ForkedService, Forks

from index.records import VerifiedRecord
from service.api.reviews import Review
from service.client import Problem, Tamga

SCHEMA = Path(__file__).parents[2] / "docs" / "openapi.json"
# Accounts and sessions are for people at the dashboard; the rest of these is for whoever runs the service.
NOT_FOR_PROGRAMS = ("/v1/accounts", "/v1/session", "/livez", "/readyz", "/metrics", "/v1/settings")
NEED_MODELS = {
    *(("POST", path) for path in ("/v1/articles", "/v1/claims/match", "/v1/claims/compare")),
    *(("GET", path) for path in ("/v1/articles/{article_id}", "/v1/models", "/v1/models/{name}")),
}

CODE = """
from datetime import UTC, datetime
import service.app, service.audits.work, service.commands.serve, service.labels.encodings.c2pa, uvicorn
from hash_encoder import HashEncoder
from service.analysis import Analyser
from service.analysis_models import Analysis, Truncated
from service.cli import run as tamga
from service.runtime import Runtime

def analyse(self, article, options):
    return Analysis(
        id="art_0", created_at=datetime.now(UTC), stored=False, language="en", script="Latn",
        language_confidence=None, text=None, title=None, sentences=[], origin=None, claims=[],
        claims_status="done", claims_reason=None, related_records=[], near_duplicates=[], models={},
        index_generation=0, timings={}, truncated=Truncated(sentences=False, windows=False),
    )

Runtime.encoder = Runtime.search_encoder = property(lambda self: HashEncoder())
Runtime.load = lambda self: getattr(self, "library")
Analyser.analyse = analyse

def run(port):
    return tamga(["serve", "--port", port])
"""


@dataclass
class Service:
    """A running service, what may be asked of it, and what was."""

    address: str
    folder: Path
    token: str = ""
    asked: set[tuple[str, str]] = field(default_factory=set)

    def client(self, token: str | None = None) -> Tamga:
        def note(request: httpx2.Request) -> None:
            self.asked.add((request.method, request.url.raw_path.decode().partition("?")[0]))

        connection = httpx2.Client(base_url=self.address, timeout=60, event_hooks={"request": [note]})
        return Tamga(key=token or self.token, http=connection, patience=5)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("client")
    (folder / "archives").mkdir()
    environment = {
        "TAMGA_HOME": str(folder / "home"),
        "TAMGA_AUDIT_FOLDER": str(folder / "archives"),
        "TAMGA_REVIEW_OVERLAP": "0",
        "TAMGA_FETCHING": "true",
        "TAMGA_FETCH_NETWORKS": "127.0.0.0/8",
        "TAMGA_WEBHOOKS": "true",
        "TAMGA_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    with Forks(CODE, folder / "log", **environment) as forks:
        running = ForkedService(forks)
        running.start("/readyz")
        made = Service(running.address, folder)
        with made.client("tg_none") as nobody:
            del nobody._http.headers["authorization"]
            made.token = nobody.create_key("first", "admin").token
        yield made
        running.end()


@pytest.fixture
def tamga(service: Service) -> Iterator[Tamga]:
    with service.client() as client:
        yield client


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A web site with a feed."""
    lines = [{"id": f"f{number}", "claim": f"The well number {number} was closed."} for number in range(2)]
    (tmp_path / "feed.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_records(tamga: Tamga) -> None:
    record = VerifiedRecord(id="client/1", claim="The water tower was built in 1911.", language="en")
    second = {"id": "client/2", "claim": "The mill burnt down in 1950.", "language": "en"}
    assert [one.status for one in tamga.put_records([record, second])] == ["added", "added"]
    assert tamga.get_record("client/1") == record
    read = tamga.etag
    assert {"client/1", "client/2"} <= {one.id for one in tamga.list_records()}
    changed = record.model_copy(update={"rating": "True"})
    assert tamga.put_record(changed, if_match=read).status == "updated"
    with pytest.raises(Problem) as caught:
        tamga.put_record(record, if_match=read)
    assert (caught.value.status, caught.value.type) == (412, "urn:tamga:problem:precondition-failed")
    assert tamga.put_record({**second, "rating": "False"}).status == "updated"
    tamga.delete_record("client/2")
    with pytest.raises(Problem) as caught:
        tamga.get_record("client/2")
    assert caught.value.status == 404


def test_articles(tamga: Tamga) -> None:
    assert list(tamga.list_articles()) == []


def test_feeds(tamga: Tamga, site: str) -> None:
    feed = tamga.put_feed(url=f"{site}/feed.jsonl", kind="jsonl", publisher="Example", language="en")
    result = tamga.refresh_feed(feed.id)
    assert (result.error, result.added) == (None, 2)
    (listed,) = tamga.list_feeds()
    assert (listed.id, listed.records, listed.publisher) == (feed.id, 2, "Example")
    tamga.delete_feed(feed.id)
    assert tamga.list_feeds() == []


def test_labels(tamga: Tamga) -> None:
    page = (
        "<html lang='en'><body><article><p>The ferry runs again from Monday on.</p></article></body></html>"
    )
    assert tamga.propose_label(html=page, declared="none").involvement == "none"
    label = tamga.issue_label(html=page, declared="assisted", human_review="reviewed", language="en")
    assert tamga.get_label(label.id) == label
    assert label.id in [one.id for one in tamga.list_labels("active")]
    assert tamga.signed_label(label.id) == label.jws
    assert label.kid in [key["kid"] for key in tamga.signing_keys()]
    assert tamga.verify(jws=label.jws or "").verdict == "valid"
    embedded = tamga.embed_label(label.id, page)
    assert tamga.verify(html=embedded.html).verdict == "valid"
    assert tamga.label_manifest(label.id)
    assert "<svg" in tamga.label_badge(label.id, "kk")
    assert "<svg" in tamga.label_qr(label.id)
    assert tamga.revoke_label(label.id, "printed by mistake", by="A. Editor").status == "revoked"
    history = tamga.label_history(label.id)
    assert (history[0].kind, history[-1].kind, history[-1].actor) == ("issued", "revoked", "A. Editor")
    assert tamga.verify(jws=label.jws or "").verdict == "not_valid"


def waiting(tamga: Tamga, number: int) -> Review:
    label = tamga.issue_label(text=f"The market number {number} opens early.", language="en")
    assert label.status == "draft"
    (review,) = (one for one in tamga.list_reviews(language="en", sort="age") if one.label_id == label.id)
    return review


def test_reviews(service: Service, tamga: Tamga) -> None:
    first, second, third = (waiting(tamga, number) for number in range(3))
    assert tamga.count_reviews().undecided >= 3
    assert tamga.lock_review(first.id).state == "locked"
    assert first.id in [one.id for one in tamga.list_reviews(mine=True)]
    stale, taken = '"0"', tamga.etag
    change = {"action": "change", "involvement": "assisted", "human_review": "reviewed"}
    with pytest.raises(Problem) as caught:
        tamga.decide_review(first.id, label=change, if_match=stale)
    assert caught.value.status == 412
    decided = tamga.decide_review(first.id, label=change, note="The desk was asked.", if_match=taken)
    assert decided.state == "decided"
    issued = tamga.get_label(decided.issued_label_id or "")
    assert (issued.status, issued.involvement) == ("active", "assisted")
    assert tamga.get_review(first.id).opinions[0].decision.note == "The desk was asked."
    assert tamga.undo_review(first.id, "wrong page").state == "open"
    assert [entry.kind for entry in tamga.review_history(first.id)] == [
        "opened", "locked", "decided", "undone",
    ]  # fmt: skip
    tamga.lock_review(second.id)
    assert tamga.unlock_review(second.id).state == "open"
    assert tamga.ask_second_opinion(second.id, "odd tone").opinions_wanted == 2
    many = tamga.change_many_reviews([third.id, "rev_none"], "decide", label={"action": "dismiss"})
    assert [(one.state, one.error and one.error.type) for one in many] == [
        ("decided", None), (None, "urn:tamga:problem:not-found"),
    ]  # fmt: skip
    assert tamga.review_agreement("2026-01-01T00:00:00Z").all.reviews == 0
    assert [line["review_id"] for line in tamga.export_reviews(texts=False)]


def test_keys(service: Service, tamga: Tamga) -> None:
    made = tamga.create_key("CMS", "reviewer", scopes=["records:read"])
    assert tamga.get_key(made.id).scopes == ["records:read"]
    read = tamga.etag
    with service.client(made.token) as narrow:
        next(narrow.list_records(), None)
        with pytest.raises(Problem) as caught:
            narrow.delete_record("client/1")
        assert (caught.value.status, caught.value.type) == (403, "urn:tamga:problem:forbidden")
    changed = tamga.update_key(made.id, name="CMS, second", expires_at="2100-01-01T00:00:00Z", if_match=read)
    assert (changed.name, changed.role, changed.state) == ("CMS, second", "reviewer", "active")
    assert tamga.update_key(made.id, expires_at=None).expires_at is None
    rotated = tamga.rotate_key(made.id)
    with service.client(made.token) as old, pytest.raises(Problem) as caught:
        next(old.list_records())
    assert caught.value.status == 401
    assert rotated.id in [key.id for key in tamga.list_keys()]
    assert tamga.revoke_key(made.id).state == "revoked"


def test_webhooks(tamga: Tamga, receiver: Any) -> None:
    made = tamga.create_webhook(receiver.url + "/ok", ["label.issued"], description="CMS")
    assert tamga.get_webhook(made.id).description == "CMS"
    changed = tamga.update_webhook(made.id, events=["label.issued", "label.revoked"], if_match=tamga.etag)
    assert changed.events == ["label.issued", "label.revoked"]
    ping = tamga.ping_webhook(made.id)
    delivery = delivered(tamga, made.id, ping.id)
    assert json.loads(delivery.body)["type"] == "webhook.ping"
    assert [one.id for one in tamga.list_deliveries(made.id, "delivered")] == [ping.id]
    assert tamga.redeliver(made.id, ping.id).event_id == ping.event_id
    assert len(delivered(tamga, made.id, ping.id, times=2).history) == 2
    assert tamga.rotate_webhook(made.id, grace_seconds=60).secret != made.secret
    assert made.id in [one.id for one in tamga.list_webhooks()]
    tamga.delete_webhook(made.id)
    assert made.id not in [one.id for one in tamga.list_webhooks()]


def delivered(tamga: Tamga, webhook_id: str, delivery_id: str, times: int = 1) -> Any:
    deadline = time.monotonic() + 60
    while (found := tamga.get_delivery(webhook_id, delivery_id)).attempts < times:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_audits(service: Service, tamga: Tamga, tmp_path: Path) -> None:
    archive = tmp_path / "year.jsonl"
    archive.write_text("".join(json.dumps({"id": str(n), "text": f"text {n}"}) + "\n" for n in range(20)))
    audit = tamga.start_audit(archive, checks=["claims"], target_fpr=0.02)
    assert [one.state for one in tamga.watch_audit(audit.id, every=0.05, timeout=120)][-1] == "done"
    assert [line["id"] for line in tamga.audit_results(audit.id)] == [str(n) for n in range(20)]
    tamga.save_audit_results(audit.id, tmp_path / "out.csv", format="csv")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 21
    tamga.save_audit_results(audit.id, tmp_path / "out.parquet")
    assert (tmp_path / "out.parquet").read_bytes()[:4] == b"PAR1"
    with pytest.raises(Problem):
        tamga.save_audit_results("aud_" + 24 * "0", tmp_path / "none.parquet")
    assert {path.name for path in tmp_path.iterdir()} == {"year.jsonl", "out.csv", "out.parquet"}
    assert tamga.audit_report(audit.id).startswith("<!doctype html>")
    assert "<" not in tamga.audit_report(audit.id, format="csv")
    (service.folder / "archives" / "answers.jsonl").write_text(archive.read_text())
    there = tamga.start_audit("answers.jsonl", checks=["claims"])
    assert there.source == "answers.jsonl"
    assert [one.id for one in tamga.list_audits()] == [there.id, audit.id]
    *_, ended = tamga.watch_audit(there.id, every=0.05, timeout=120)
    assert ended.state == "done"
    with pytest.raises(Problem) as caught:
        tamga.cancel_audit(there.id)
    assert caught.value.status == 409


def test_every_operation_has_a_method(service: Service) -> None:
    """Runs last: what the tests above have asked is what there is to ask."""
    templates = [
        (method.upper(), template)
        for template, operations in json.loads(SCHEMA.read_text())["paths"].items()
        for method in operations
        if not template.startswith(NOT_FOR_PROGRAMS)
    ]
    asked = {
        (method, template)
        for method, template in templates
        if any(method == sent and pattern(template).fullmatch(path) for sent, path in service.asked)
    }
    assert set(templates) - asked == NEED_MODELS


def pattern(template: str) -> re.Pattern[str]:
    # A part of its own matches nothing with a dot, so that /labels/{id} is not /labels/{id}.jws.
    return re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/.]+", re.escape(template)))
