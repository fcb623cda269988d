"""Audits on a real Ray, started once on this machine: workers that are killed, and drivers.

The models, which would only take time to load, are stood in for; but for one test.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.analysis_models import Analysis
from service.audits.cluster import RayRunner
from service.audits.cluster_worker import OpenAnalyse, store_id
from service.audits.dispatch import MAX_ATTEMPTS
from service.audits.items import AuditArticle, AuditOptions, Item
from service.audits.runner import Audited, LocalRunner
from service.errors import ConfigurationError, TamgaError
from service.runtime import Runtime
from service.samples import sample_articles
from service.settings import Settings, load_settings

ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")

CLAIMS = AuditOptions(("claims",))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Ray of this machine for these tests; yields its address."""
    settings = load_settings(home=tmp_path_factory.mktemp("driver"))
    # Ray lets its workers give way to everything else; beside other tests they would wait.
    os.environ.setdefault("RAY_worker_niceness", "0")
    with RayRunner(settings, workers=4):
        yield ray.get_runtime_context().gcs_address


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings over a home of the test's own, with an empty database."""
    made = load_settings(home=tmp_path / "home", threads=1)
    store_id(made)
    return made


def stand_in(seconds: float) -> OpenAnalyse:
    """An analysis that says which process made it and of which text. Nested, so that it is sent by value:
    workers cannot import tests.
    """

    def open_analyse(settings: Settings, options: AuditOptions) -> Callable[..., Analysis]:
        from datetime import UTC, datetime

        from service.analysis_models import Truncated
        from service.articles import read_article

        def analyse(article: Any, asked: Any) -> Analysis:
            text = read_article(article, max_chars=1_000).text
            time.sleep(seconds)
            return Analysis(
                id="art_0", created_at=datetime.now(UTC), stored=False, language="en", script="Latn",
                language_confidence=None, text=str(os.getpid()), title=None, sentences=[], origin=None,
                claims=[], claims_status="done", claims_reason=text, related_records=[], near_duplicates=[],
                models={}, index_generation=0, timings={},
                truncated=Truncated(sentences=False, windows=False),
            )  # fmt: skip

        return analyse

    return open_analyse


def items_of(count: int) -> Iterator[Item]:
    for number in range(count):
        text = "" if number % 9 == 4 else f"text {number}"
        yield Item(number, f"i{number}", AuditArticle(text=text), None)


def check(results: list[Audited], count: int) -> None:
    assert [result.number for result in results] == list(range(count))
    for result, item in zip(results, items_of(count), strict=True):
        assert result.result["id"] == item.id
        if item.number % 9 == 4:
            assert result.result["error"]["type"].endswith("empty-text")
        else:
            assert item.source is not None
            assert result.result["claims_reason"] == item.source.text


@pytest.mark.usefixtures("cluster")
def test_a_killed_worker_loses_no_item(settings: Settings) -> None:
    runner = RayRunner(settings, workers=2, open_analyse=stand_in(0.02))
    results: list[Audited] = []
    killed = None
    for audited in runner.run(items_of(120), CLAIMS):
        results.append(audited)
        if killed is None and len(results) == 20:
            killed = int(results[-1].result["text"])
            os.kill(killed, signal.SIGKILL)
    check(results, 120)
    workers = {result.result.get("text") for result in results} - {None}
    # The one that was killed, the other, and the one in its stead.
    assert len(workers) >= 2
    assert os.getpid() not in map(int, workers)


@pytest.mark.usefixtures("cluster")
def test_workers_that_cannot_load_or_see_another_database_say_so(settings: Settings) -> None:
    def broken(own: Settings, options: AuditOptions) -> Any:
        raise FileNotFoundError("no weights here")

    def elsewhere(own: Settings, options: AuditOptions) -> Any:
        raise AssertionError("loaded all the same")

    with pytest.raises(TamgaError, match="no weights here"):
        list(RayRunner(settings, workers=1, open_analyse=broken).run(items_of(3), CLAIMS))
    runner = RayRunner(settings, workers=1, open_analyse=elsewhere)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.audits.cluster.store_id", lambda settings: "another")
        with pytest.raises(ConfigurationError, match="another database"):
            list(runner.run(items_of(3), CLAIMS))
    with pytest.raises(ConfigurationError, match="stores none"):
        list(runner.run(items_of(3), AuditOptions(store=True)))


@pytest.mark.usefixtures("cluster")
def test_the_models_answer_there_as_they_do_here(settings: Settings) -> None:
    options = AuditOptions(("origin",))
    items = [
        Item(number, article.id, AuditArticle(text=article.text, title=article.title), None)
        for number, article in enumerate(sample_articles()[:4])
    ]
    there = list(RayRunner(settings, workers=1).run(items, options))
    runtime = Runtime(settings)
    here = list(LocalRunner(runtime.analyser.analyse).run(items, options))
    runtime.close()
    assert [(one.facts, timeless(one)) for one in there] == [(one.facts, timeless(one)) for one in here]


def timeless(audited: Audited) -> dict[str, Any]:
    """A result without the moments at which its evidence was found."""
    result: dict[str, Any] = json.loads(json.dumps(audited.result))
    for evidence in result["origin"]["label"]["evidence"]:
        del evidence["at"]
    return result


# Functions of the main module are sent by value, too.
DRIVER = """
import os, time
from datetime import UTC, datetime
from service.analysis_models import Analysis, Truncated
from service.articles import read_article
from service.audits import cluster_worker
from service.cli import main

def pipeline(settings, options):
    def analyse(article, asked):
        text = read_article(article, max_chars=1_000).text
        if text == "the end of every worker":
            os._exit(1)
        time.sleep(0.02)
        return Analysis(
            id="art_0", created_at=datetime.now(UTC), stored=False, language="en", script="Latn",
            language_confidence=None, text=None, title=None, sentences=[], origin=None, claims=[],
            claims_status="done", claims_reason=text, related_records=[], near_duplicates=[], models={},
            index_generation=0, timings={}, truncated=Truncated(sentences=False, windows=False),
        )
    return analyse

cluster_worker.pipeline = pipeline
main()
"""


def test_a_killed_driver_is_gone_on_with_and_an_item_that_ends_workers_given_up(
    cluster: str, settings: Settings, tmp_path: Path
) -> None:
    source, out = tmp_path / "archive", tmp_path / "out.jsonl"
    source.mkdir()
    expected = []
    for part in range(3):
        lines = [{"id": f"{part}-{n}", "text": f"text {part} {n}"} for n in range(60)]
        if part == 2:
            lines[30]["text"] = "the end of every worker"
        expected += [(line["id"], line["text"]) for line in lines]
        (source / f"part-{part}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [
        sys.executable, "-c", DRIVER, "audit", str(source), "--out", str(out), "--checks", "claims",
        "--resume", "--engine", "ray", "--address", cluster, "--workers", "2",
    ]  # fmt: skip
    environment = os.environ | {"TAMGA_HOME": str(settings.home)}
    with (tmp_path / "log").open("wb") as log:
        driver = subprocess.Popen(command, env=environment, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 120
        while not out.exists() or out.read_bytes().count(b"\n") < 20:
            assert driver.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.01)
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
    kept = out.read_bytes()
    whole = kept[: kept.rindex(b"\n") + 1]
    assert whole.count(b"\n") < len(expected)
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr.count("a worker was lost and is replaced") == MAX_ATTEMPTS
    results = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    given_up = results[150].pop("error")
    assert "5 times" in given_up["detail"]
    results[150]["claims_reason"] = "the end of every worker"
    assert [(result["id"], result["claims_reason"]) for result in results] == expected
    assert out.read_bytes().startswith(whole)


def test_no_cluster_at_the_address_is_one_line(settings: Settings) -> None:
    environment = os.environ | {"TAMGA_HOME": str(settings.home)}
    command = [
        sys.executable, "-c", "from service.cli import main; main()", "audit", "-", "--checks", "origin",
        "--engine", "ray", "--address", "127.0.0.1:1",
    ]  # fmt: skip
    done = subprocess.run(command, env=environment, input="", capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("tamga: ")
    assert done.stderr.count("\n") == 1
