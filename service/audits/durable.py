"""Audits outlive the process: DBOS keeps who is to carry out which, and starts again what was interrupted.

This is the one module that knows DBOS. A workflow is named by the id of its audit and has two steps, each of
which may run more than once: `AuditWork` stores results so that this neither repeats nor loses any. The
workflows lie in the service's own database on PostgreSQL (schema `dbos`), and beside it on SQLite.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from dbos import DBOS, SetWorkflowID
from sqlalchemy.engine import make_url

from service.audits.work import AuditWork, Interrupted
from service.auth.actor import acting_as
from service.errors import ConfigurationError, TamgaError
from service.settings import Settings
from service.store import Store
from service.store.errors import StoreError

log = logging.getLogger(__name__)

ACTOR: Final = "audits"
QUEUE: Final = "audits"
# Fixed: interrupted audits go on after an upgrade, since the steps begin with what the database holds.
VERSION: Final = "1"
POLL_SECONDS: Final = 0.5
ADOPT_EVERY_SECONDS: Final = 60.0
# Nobody has worked on it for so long: its process has died for good.
FORSAKEN: Final = timedelta(minutes=3)
_STOP_SECONDS: Final = 10.0

# DBOS knows functions, and of itself one instance in a process: so this is the process's.
_engine: DurableEngine | None = None


class DurableEngine:
    """Carries out the audits of one database, one at a time in this process. Start it once."""

    def __init__(self, store: Store, settings: Settings, work: AuditWork) -> None:
        self._store = store
        self._settings = settings
        self._work = work
        self._stopped = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._adopting = threading.Thread(target=self._adopt_regularly, name="audits", daemon=True)

    def start(self) -> None:
        """Begin; what was interrupted goes on. Blocks for a second or so.

        Raises ConfigurationError where another service in this process does audits.
        """
        global _engine
        if _engine is not None:
            raise ConfigurationError("another service in this process carries out audits already")
        _engine = self
        try:
            self._launch()
        except BaseException:
            DBOS.destroy()
            _engine = None
            raise
        self._adopting.start()

    def _launch(self) -> None:
        _quiet()
        DBOS(
            config={
                "name": "tamga",
                "system_database_url": self._address(),
                "application_version": VERSION,
                "executor_id": executor_id(self._settings.home),
                "enable_otlp": False,
                "log_level": "WARNING",
            }
        )
        _quiet()
        DBOS.launch()
        DBOS.register_queue(
            QUEUE, worker_concurrency=1, polling_interval_sec=POLL_SECONDS, on_conflict="always_update"
        )

    def submit(self, audit_id: str) -> None:
        """Have an audit carried out; asking twice is no mistake."""
        with SetWorkflowID(audit_id):
            DBOS.enqueue_workflow(QUEUE, _carry_out, audit_id)

    def stop(self) -> None:
        """Interrupt what runs, to be taken up at the next start."""
        global _engine
        self._stopped.set()
        self._work.stop()
        if not self._idle.wait(_STOP_SECONDS):
            log.warning("an audit did not stop in time; it is abandoned here and taken up at the next start")
        if self._adopting.is_alive():
            self._adopting.join(_STOP_SECONDS)
        DBOS.destroy()
        _engine = None

    @contextlib.contextmanager
    def working(self) -> Iterator[AuditWork]:
        """The work, for a step."""
        if self._stopped.is_set():
            raise Interrupted
        self._idle.clear()
        try:
            with acting_as(ACTOR):
                yield self._work
        finally:
            self._idle.set()

    def _address(self) -> str:
        url = make_url(self._settings.database)
        if url.get_backend_name() != "sqlite":
            return url.render_as_string(hide_password=False)
        assert url.database is not None
        return f"sqlite:///{Path(url.database).resolve().with_name('audit-workflows.db')}"

    def _adopt_regularly(self) -> None:
        """Take up audits that nobody works on: of a process that died for good, or of a restored backup."""
        first = True
        while not self._stopped.wait(0.0 if first else ADOPT_EVERY_SECONDS):
            first = False
            try:
                forsaken = set(self._store.audits.unfinished(datetime.now(UTC) - FORSAKEN))
                for audit_id in self._store.audits.unfinished():
                    self._adopt(audit_id, forsaken=audit_id in forsaken)
            except Exception:
                log.exception("looking for forsaken audits failed; it is tried again")

    def _adopt(self, audit_id: str, *, forsaken: bool) -> None:
        status = DBOS.get_workflow_status(audit_id)
        if status is None:
            # The process died between accepting it and handing it on.
            self.submit(audit_id)
        elif not forsaken:
            return
        elif status.status == "SUCCESS":
            # The database is older than the workflow: it was restored.
            with SetWorkflowID(f"{audit_id}-{secrets.token_hex(4)}"):
                DBOS.enqueue_workflow(QUEUE, _carry_out, audit_id)
        elif status.status != "ENQUEUED":
            log.warning("audit %s was forsaken (%s); it is taken up", audit_id, status.status)
            DBOS.resume_workflow(audit_id, queue_name=QUEUE)


@DBOS.step(retries_allowed=True, max_attempts=8, interval_seconds=1.0, backoff_rate=2.0)
def _take_in(audit_id: str) -> str | None:
    """Why the items cannot be taken in; None where they are in."""
    with _running().working() as work:
        try:
            work.take_in(audit_id)
        except StoreError:
            raise
        except (TamgaError, OSError) as error:
            return str(error)
        return None


@DBOS.step(retries_allowed=True, max_attempts=8, interval_seconds=1.0, backoff_rate=2.0)
def _analyse(audit_id: str) -> str | None:
    """Why the audit cannot be carried out; None where it has ended."""
    with _running().working() as work:
        try:
            work.analyse(audit_id)
        except StoreError:
            raise
        except Exception as error:
            log.exception("audit %s failed", audit_id)
            return f"{type(error).__name__}: {error}"
        return None


@DBOS.step(retries_allowed=True, max_attempts=8, interval_seconds=1.0, backoff_rate=2.0)
def _fail(audit_id: str, error: str) -> None:
    with _running().working() as work:
        work.fail(audit_id, error)


@DBOS.workflow(name="audit", max_recovery_attempts=1_000_000)
def _carry_out(audit_id: str) -> None:
    error = _take_in(audit_id) or _analyse(audit_id)
    if error is not None:
        _fail(audit_id, error)


def _running() -> DurableEngine:
    if _engine is None:
        raise Interrupted
    return _engine


def executor_id(home: Path) -> str:
    """The name of this home's process among those that share a database, the same after every start."""
    file = home / "audit-executor"
    try:
        return file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    home.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    draft.write_text(f"tamga-{secrets.token_hex(8)}\n", encoding="ascii")
    # Whole or not at all; of two that start together the first one counts.
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
    return file.read_text(encoding="ascii").strip()


def _quiet() -> None:
    """Its messages go through our own logging."""
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.WARNING)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.addHandler(logging.NullHandler())
    logger.propagate = True
