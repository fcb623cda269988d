"""The database, the logs in it, and the indexes derived from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from index.errors import VectorStoreUnavailable
from index.snapshot import Manifest, SnapshotError, SnapshotFolder
from index.stores.policy import read_store
from index.stores.shared import SharedVectorStore, VectorSource
from service.auth.keys import Keys
from service.auth.loopback import is_loopback
from service.doctor.findings import Finding, failed, ok, warning
from service.errors import ConfigurationError
from service.labels.history import first_break
from service.settings import Settings
from service.store import Store
from service.store.access_models import AuditRow
from service.store.database import Database
from service.store.errors import StoreError
from service.store.migration import Revisions, revisions
from service.vectors import milvus_server

# Clocks of two machines, and the time an answer takes.
_CLOCK_SECONDS: Final = 30
_RESTORE: Final = "tamga restore a backup into an empty home"


def examine_database(settings: Settings) -> Iterator[Finding]:
    """Everything that needs the database; it is neither made nor upgraded here."""
    url = sa.engine.make_url(settings.database)
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        yield ok("database", f"{shown} is made at the first start")
        yield from _reachable(settings, closed=False)
        return
    database = Database(settings.database)
    try:
        yield from _answers(database, shown)
        found = revisions(database)
    except StoreError as error:
        yield failed("database", error.detail, "start the database; check TAMGA_DATABASE_URL and its user")
        return
    else:
        yield _migrated(found)
        if found.current == found.head:
            yield from _content(Store(database), settings)
    finally:
        database.close()


def _answers(database: Database, shown: str) -> Iterator[Finding]:
    with database.reading() as connection:
        if not database.is_sqlite:
            now = connection.execute(sa.select(sa.func.now())).scalar_one()
            yield ok("database", shown)
            yield _clock(abs((datetime.now(UTC) - now).total_seconds()), "the database's clock")
            return
        problem = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if problem == "ok":
        yield ok("database", f"{shown}, its file is sound")
    else:
        yield failed("database", f"{shown} is damaged: {problem}", _RESTORE)


def _clock(seconds: float, other: str) -> Finding:
    if seconds <= _CLOCK_SECONDS:
        return ok("clock", f"agrees with {other}")
    return failed("clock", f"differs from {other} by {seconds:,.0f} seconds", "let NTP set the clock")


def _migrated(found: Revisions) -> Finding:
    if found.current == found.head:
        return ok("migrations", f"tables of revision {found.head}")
    if found.current is None or found.known:
        return warning(
            "migrations",
            f"tables of revision {found.current or 'none'}, this version needs {found.head}",
            "back up; the next start of the service upgrades them",
        )
    return failed(
        "migrations",
        f"tables of revision {found.current}, which this version does not know",
        "install the version that wrote them, or a newer one",
    )


def _content(store: Store, settings: Settings) -> Iterator[Finding]:
    log = store.audit_log.verify()
    if log.broken_at is not None:
        yield failed(
            "audit log", f"broken at entry {log.broken_at}: {log.reason}", f"find out who did; {_RESTORE}"
        )
    else:
        yield ok("audit log", f"{log.entries:,} entries, unbroken")
    fault = first_break(store.labels.log(), whole_log=True)
    if fault is not None:
        yield failed("label history", fault, f"find out who did; {_RESTORE}")
    else:
        yield ok("label history", f"{store.labels.log_size():,} events, unbroken")
    yield from _no_future(store)
    yield from _reachable(settings, closed=Keys(store.access_keys).closed())
    if settings.vector_store == "milvus":
        yield from _on_a_server(store, settings)
        return
    for repository in (store.records, store.articles):
        yield _index(
            settings.index_folder / repository.collection,
            repository.store_id(),
            repository.revision(),
            settings,
        )


def _no_future(store: Store) -> Iterator[Finding]:
    soon = datetime.now(UTC) + timedelta(seconds=_CLOCK_SECONDS)
    query = sa.select(sa.func.count()).select_from(AuditRow).where(AuditRow.at > soon)
    with store.database.reading() as connection:
        ahead = connection.execute(query).scalar_one()
    if ahead:
        yield failed(
            "clock", f"{ahead:,} entries of the audit log lie in the future", "let NTP set the clock"
        )
    else:
        yield ok("clock", "not behind the audit log")


def _reachable(settings: Settings, *, closed: bool) -> Iterator[Finding]:
    if is_loopback(settings.host):
        yield ok("access", f"listens on {settings.host}, this machine alone")
    elif closed:
        yield ok("access", f"listens on {settings.host}, for those who sign in or have a key")
    else:
        yield failed(
            "access",
            f"is to listen on {settings.host} without any access key: the service will not start",
            "tamga key create --name NAME --role admin",
        )


def _on_a_server(store: Store, settings: Settings) -> Iterator[Finding]:
    try:
        server = milvus_server(settings)
        try:
            for repository in (store.records, store.articles):
                name, revision = repository.collection, repository.revision()
                # Whatever encoder made it: what is there is looked at.
                found = server.current(VectorSource(name, repository.store_id(), "", 0))
                yield _generation(found, name, revision, settings)
        finally:
            server.close()
    except (VectorStoreUnavailable, ConfigurationError) as error:
        yield failed("index", str(error), "start the Milvus server, or correct TAMGA_MILVUS_*")


def _generation(found: SharedVectorStore | None, name: str, revision: int, settings: Settings) -> Finding:
    rebuild = "nothing: the next start builds it from the database; or tamga index rebuild"
    if found is None:
        return ok("index", f"{name}: empty") if revision == 0 else warning("index", f"{name}: none", rebuild)
    found.ping()
    reached = found.revision()
    if reached > revision:
        return failed("index", f"{name}: newer than the database", rebuild)
    expected = _model_id(settings)
    if expected is not None and found.model_id != expected:
        return warning("index", f"{name}: made with {found.model_id}, not {expected}", rebuild)
    detail = f"{name}: {len(found):,} vectors on the Milvus server, generation {reached}"
    behind = revision - reached
    return ok("index", detail + (f", {behind:,} changes to be taken in at the start" if behind else ""))


def _index(folder: Path, store_id: str, revision: int, settings: Settings) -> Finding:
    rebuild = "nothing: the next start builds it from the database; or tamga index rebuild"
    name = f"{folder.name}"
    try:
        loaded = SnapshotFolder(folder).load(read_store)
    except SnapshotError as error:
        return failed("index", str(error), rebuild)
    if loaded is None:
        if revision == 0:
            return ok("index", f"{name}: empty")
        return warning("index", f"{name}: no snapshot", rebuild)
    manifest: Manifest = loaded[1]
    if manifest.store_id != store_id or manifest.revision > revision:
        return failed("index", f"{name}: the snapshot belongs to another or a newer database", rebuild)
    expected = _model_id(settings)
    if expected is not None and manifest.model_id != expected:
        return warning("index", f"{name}: made with {manifest.model_id}, not {expected}", rebuild)
    behind = revision - manifest.revision
    detail = f"{name}: {manifest.count:,} vectors, hashes as written, generation {manifest.revision}"
    return ok("index", detail + (f", {behind:,} changes to be taken in at the start" if behind else ""))


def _model_id(settings: Settings) -> str | None:
    """The id of the packaged encoder; another one would have to be loaded to know it."""
    from classifiers.models import packaged_model_id

    return packaged_model_id() if settings.encoder is None else None
