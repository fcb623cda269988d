"""The service over each database, its models stood in for: their answers are not what is tested."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.analysis import Analyser, AnalysisOptions
from service.analysis_models import Analysis, Origin, Truncated
from service.app import create_app
from service.articles import ArticleInput, read_article
from service.runtime import Runtime
from service.settings import load_settings


def origin(text: str, options: AnalysisOptions) -> Origin:
    flagged = "robot" in text
    return Origin.model_validate(
        {
            "verdict": "likely_ai_unconfirmed" if flagged else "undetermined",
            "score": 2.5 if flagged else -1.0,
            "p_value": 0.001 if flagged else 0.4,
            "target_fpr": options.target_fpr or 0.01,
            "abstain_reason": "too_short" if len(text) < 10 else None,
            "calibration": None,
            "segments": [],
            "fraction_machine": None,
            "kinds": None,
            "features": [],
            "signals": [],
            "label": {
                "state": "undetermined",
                "involvement": "unknown",
                "human_review": "unknown",
                "basis": "no_evidence",
                "status": "draft",
                "review_reasons": [],
            },
        }
    )


class Models:
    """Stands in for the models: counts what it is asked, and waits while `gate` is closed."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def analyse(
        self, analyser: Analyser, source: ArticleInput, options: AnalysisOptions | None = None
    ) -> Analysis:
        read = read_article(source, max_chars=1_000_000)
        self.asked.append(read.text)
        assert self.gate.wait(60)
        asked = options or AnalysisOptions()
        return Analysis(
            id="art_0",
            created_at=datetime.now(UTC),
            stored=False,
            language="en",
            script="Latn",
            language_confidence=None,
            text=None,
            title=read.title,
            sentences=[],
            origin=origin(read.text, asked) if "origin" in asked.checks else None,
            claims=[],
            claims_status="done" if "claims" in asked.checks else "not_requested",
            related_records=[],
            near_duplicates=[],
            models={},
            index_generation=0,
            timings={},
            truncated=Truncated(sentences=False, windows=False),
        )


class AuditClient(TestClient):
    """A client with the steps that tests of audits share."""

    def upload(self, content: bytes, name: str = "in.jsonl", **form: Any) -> Any:
        headers = form.pop("headers", None)
        return self.post("/v1/audits", files={"file": (name, content)}, data=form, headers=headers)

    def begin(self, content: bytes, name: str = "in.jsonl", **form: Any) -> dict[str, Any]:
        answer = self.upload(content, name, **form)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        assert answer.headers["location"] == f"/v1/audits/{made['id']}"
        return made

    def until(self, audit_id: str, *states: str, seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = self.get(f"/v1/audits/{audit_id}").json()
            if found["state"] in (states or ("done",)):
                return found
            assert found["state"] in ("queued", "running"), found
            assert time.monotonic() < deadline, found
            time.sleep(0.05)

    def results(self, audit_id: str) -> list[dict[str, Any]]:
        answer = self.get(f"/v1/audits/{audit_id}/results")
        assert answer.status_code == 200
        return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    stood_in = Models()
    monkeypatch.setattr(Runtime, "load", lambda self: None)
    monkeypatch.setattr(
        Analyser, "analyse", lambda self, *given, **named: stood_in.analyse(self, *given, **named)
    )
    return stood_in


@pytest.fixture
def serve(database_url: str, tmp_path: Path, models: Models) -> Iterator[Callable[..., AuditClient]]:
    """Starts the service over the test's database; a second call is its next start."""
    running: list[AuditClient] = []

    def start(**settings: Any) -> AuditClient:
        while running:
            running.pop().__exit__(None, None, None)
        chosen = load_settings(home=tmp_path / "home", database_url=database_url, **settings)
        client = AuditClient(
            create_app(chosen),
            base_url="http://127.0.0.1",
            client=("127.0.0.1", 50_000),
            raise_server_exceptions=False,
        )
        client.__enter__()
        running.append(client)
        return client

    yield start
    models.gate.set()
    while running:
        running.pop().__exit__(None, None, None)


@pytest.fixture
def client(serve: Callable[..., AuditClient]) -> AuditClient:
    return serve()
