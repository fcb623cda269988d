"""The work on an audit: what it does when it is interrupted, outrun, or at an item that ends the process."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.analysis import AnalysisOptions
from service.articles import ArticleInput
from service.audits.desk import AuditDesk, AuditRequest
from service.audits.durable import executor_id
from service.audits.items import unpack
from service.audits.work import BUNDLE, MAX_ATTEMPTS, AuditWork, Interrupted
from service.errors import Conflict, EmptyText, NotFound, NotReady
from service.settings import Settings
from service.store import Store, open_store
from service.store.audits import AuditRun, StoredResult
from service.store.webhook_models import WebhookEventRow
from service.store.webhooks import StoredWebhook

REQUEST = AuditRequest("archive", ("origin",))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Answer:
    """Stands in for an Analysis."""

    def __init__(self, text: str) -> None:
        self._text = text

    def model_dump(self, **_: Any) -> dict[str, Any]:
        return {"language": "en", "text": self._text}


class Worker:
    """Stands in for the model worker; `answer` decides what becomes of an article."""

    def __init__(self) -> None:
        self.answer: Callable[[str], Any] = Answer
        self.background: list[bool] = []

    def submit(self, call: Callable[[Any], Any], *, characters: int, background: bool) -> Future[Any]:
        self.background.append(background)
        future: Future[Any] = Future()
        try:
            future.set_result(call(self))
        except NotReady as error:
            if not error.detail.startswith("died"):
                raise
            future.set_exception(error)
        except Exception as error:
            future.set_exception(error)
        return future

    @property
    def analyser(self) -> Worker:
        return self

    def analyse(self, article: ArticleInput, options: AnalysisOptions) -> Any:
        return self.answer(article.text or "")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def begin(
    store: Store, worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AuditRun]:
    """Accepts an audit of so many items and leaves it to the test to carry it out."""
    settings = Settings(home=tmp_path / "home")
    desk = AuditDesk(store, worker, settings)  # type: ignore[arg-type]
    monkeypatch.setattr(desk, "_started", lambda: type("Engine", (), {"submit": lambda self, name: None})())

    def accepted(count: int) -> AuditRun:
        lines = "".join(json.dumps({"id": n, "text": f"text {n}"}) + "\n" for n in range(count))
        return desk.upload(REQUEST, io.BytesIO(lines.encode()), "in.jsonl")

    return accepted


@pytest.fixture
def work(store: Store, worker: Worker, tmp_path: Path) -> AuditWork:
    return AuditWork(store, worker, Settings(home=tmp_path / "home"))  # type: ignore[arg-type]


def results(store: Store, run: AuditRun) -> list[dict[str, Any]]:
    return [unpack(packed) for _, packed in store.audits.results(run.id, 0, 10_000)]


def test_interrupted_work_goes_on_behind_what_is_stored(
    store: Store, worker: Worker, work: AuditWork, begin: Callable[..., AuditRun]
) -> None:
    run = begin(3 * BUNDLE)
    asked: list[str] = []

    def answer(text: str) -> Any:
        asked.append(text)
        if len(asked) in (5, BUNDLE + 20):
            raise Interrupted
        return Answer(text)

    worker.answer = answer
    for _ in range(2):
        with pytest.raises(Interrupted):
            work.analyse(run.id)
    work.analyse(run.id)
    ended = store.audits.get(run.id)
    assert (ended.state, ended.done) == ("done", 3 * BUNDLE)
    assert [result["text"] for result in results(store, run)] == [f"text {n}" for n in range(3 * BUNDLE)]
    # At most a bundle was analysed again.
    assert len(asked) <= 3 * BUNDLE + 2 + BUNDLE
    assert all(worker.background)


def test_an_item_that_keeps_ending_the_process_is_given_up(
    store: Store, worker: Worker, work: AuditWork, begin: Callable[..., AuditRun]
) -> None:
    run = begin(40)

    def answer(text: str) -> Any:
        if text == "text 7":
            raise Interrupted  # As a segmentation fault would: nothing after it is carried out.
        return Answer(text)

    worker.answer = answer
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(Interrupted):
            work.analyse(run.id)
        assert store.audits.get(run.id).done == 7
    work.analyse(run.id)
    found = results(store, run)
    assert [n for n, result in enumerate(found) if "error" in result] == [7]
    assert len(found) == 40


def test_an_item_that_kills_the_model_thread_gets_an_error(
    store: Store, worker: Worker, work: AuditWork, begin: Callable[..., AuditRun]
) -> None:
    run = begin(3)

    def answer(text: str) -> Any:
        if text == "text 1":
            raise NotReady("died of it")
        return Answer(text)

    worker.answer = answer
    work.analyse(run.id)
    assert ["error" in result for result in results(store, run)] == [False, True, False]


def test_it_waits_for_the_models_and_ends_when_the_service_stops(
    store: Store, worker: Worker, work: AuditWork, begin: Callable[..., AuditRun]
) -> None:
    run = begin(2)
    loading = threading.Event()

    def answer(text: str) -> Any:
        if not loading.is_set():
            raise NotReady("loading")
        return Answer(text)

    worker.answer = answer
    threading.Timer(0.3, loading.set).start()
    work.analyse(run.id)
    assert store.audits.get(run.id).state == "done"
    loading.clear()
    other = begin(2)
    threading.Timer(0.3, work.stop).start()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        work.analyse(other.id)
    assert time.monotonic() - started < 5
    assert store.audits.get(other.id).state == "running"


def test_of_two_that_work_on_the_same_audit_each_result_counts_once(
    store: Store, worker: Worker, work: AuditWork, begin: Callable[..., AuditRun]
) -> None:
    run = begin(30)
    outrun = AuditWork(store, worker, Settings())  # type: ignore[arg-type]
    threads = [threading.Thread(target=each.analyse, args=(run.id,)) for each in (work, outrun)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ended = store.audits.get(run.id)
    if ended.state == "running":
        # One was outrun and left it to the other, as the process that takes it up next would find it.
        work.analyse(run.id)
    assert [result["text"] for result in results(store, run)] == [f"text {n}" for n in range(30)]
    entries = [entry.action for entry in store.audit_log.list() if entry.subject == run.id]
    assert entries == ["audit.create", "audit.end"]


def test_results_are_taken_behind_the_last_one_alone(store: Store, begin: Callable[..., AuditRun]) -> None:
    run = begin(4)
    store.audits.begin(run.id, NOW)

    def keep(*numbers: int) -> bool:
        given = [StoredResult(number, b"r", {"n": number}) for number in numbers]
        return store.audits.keep(run.id, given, 0.5, NOW)

    assert keep(0, 1)
    assert not keep(0, 1)
    assert not keep(3)
    assert keep(2)
    assert store.audits.facts(run.id, 0, 10) == [(n, {"n": n}) for n in range(3)]
    assert [number for number, _ in store.audits.items(run.id, 0, 10)] == [3]
    store.audits.cancel(run.id, NOW)
    assert not keep(3)
    assert store.audits.begin(run.id, NOW) is None
    store.audits.finish(run.id, NOW)
    assert store.audits.get(run.id).state == "cancelled"
    assert store.audits.items(run.id, 0, 10) == []


def test_a_failed_audit_cannot_be_cancelled(store: Store, begin: Callable[..., AuditRun]) -> None:
    run = begin(1)
    store.audits.begin(run.id, NOW)
    store.audits.finish(run.id, NOW, "why")
    with pytest.raises(Conflict, match="failed"):
        store.audits.cancel(run.id, NOW)
    assert store.audits.get(run.id).error == "why"


def test_old_audits_and_abandoned_uploads_are_removed(store: Store, begin: Callable[..., AuditRun]) -> None:
    ended, running = begin(2), begin(2)
    store.audits.begin(ended.id, NOW)
    store.audits.finish(ended.id, NOW)
    abandoned = AuditRun("aud_x", "receiving", "archive", "s", "jsonl", None, ["origin"], None, "k", NOW, NOW)
    store.audits.add(abandoned)
    store.audits.add_items("aud_x", 0, [b"x"], NOW)
    later = NOW + timedelta(hours=1)
    assert store.audits.purge(later, None) == 0
    assert store.audits.purge(later, later) == 1
    assert [run.id for run in store.audits.list()] == [running.id]
    for gone in (ended.id, "aud_x"):
        with pytest.raises(NotFound):
            store.audits.get(gone)


def test_a_refused_upload_leaves_nothing(store: Store, worker: Worker) -> None:
    desk = AuditDesk(store, worker, Settings(audit_max_items=300))  # type: ignore[arg-type]
    lines = b'{"text": "t"}\n' * 301
    with pytest.raises(Exception, match="300 items"):
        desk.upload(REQUEST, io.BytesIO(lines), "in.jsonl")
    assert store.audits.purge(NOW + timedelta(days=10_000), None) == 0
    assert store.audits.list() == []


def test_errors_of_items_are_those_of_single_articles(
    store: Store, worker: Worker, work: AuditWork, begin: Callable[..., AuditRun]
) -> None:
    run = begin(2)

    def answer(text: str) -> Any:
        if text == "text 0":
            raise EmptyText("nothing")
        raise ZeroDivisionError("inside")

    worker.answer = answer
    work.analyse(run.id)
    kinds = [result["error"]["type"].rpartition(":")[2] for result in results(store, run)]
    assert kinds == ["empty-text", "internal-error"]
    assert store.audits.get(run.id).refused == 2


def test_webhooks_are_told_of_the_end_and_not_of_cancelling(
    store: Store, work: AuditWork, begin: Callable[..., AuditRun]
) -> None:
    hook = StoredWebhook(
        id="whk", version=1, url="https://hooks.example/", description=None, events=None, enabled=True,
        disabled_reason=None, failing_since=None, secret="s", previous_secret=None,
        previous_expires_at=None, created_by="k", created_at=NOW,
    )  # fmt: skip
    store.webhooks.add(hook)
    done, failed, cancelled = begin(2), begin(1), begin(1)
    work.analyse(done.id)
    store.audits.begin(failed.id, NOW)
    work.fail(failed.id, "why")
    store.audits.cancel(cancelled.id, NOW)
    with store.database.reading() as connection:
        bodies = connection.execute(sa.select(WebhookEventRow.body).order_by(WebhookEventRow.number))
        told = [json.loads(body) for body in bodies.scalars()]
    assert [event["type"] for event in told] == ["audit.finished", "audit.failed"]
    assert told[0]["data"] == {
        "audit_id": done.id, "kind": "archive", "state": "done", "items": 2, "done": 2, "refused": 0,
        "error": None,
    }  # fmt: skip
    assert (told[1]["data"]["audit_id"], told[1]["data"]["error"]) == (failed.id, "why")


def test_a_home_keeps_its_name_among_executors(tmp_path: Path) -> None:
    names: list[str] = []
    threads = [
        threading.Thread(target=lambda: names.append(executor_id(tmp_path / "home"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 1
    assert executor_id(tmp_path / "home") == names[0]
    assert executor_id(tmp_path / "other") != names[0]
