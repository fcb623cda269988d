"""The labels, their signed forms and their history in the database.

Every change of a label is one transaction together with the event that records it. Events are only ever
added: the database itself refuses to change or remove one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from service.labels.history import EventKind, LabelEvent, chained
from service.labels.model import Basis, HumanReview, Involvement, State, Status
from service.store.database import Database
from service.store.models import LABELS, CounterRow, LabelEventRow, LabelManifestRow, LabelRow
from service.store.outbox import publish
from service.webhooks.events import EventName

_KIND_OF: Final[dict[str, EventKind]] = {"draft": "drafted", "disputed": "disputed", "active": "issued"}
_EVENT_FIELDS = tuple(LabelEvent.model_fields)
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """One label. `document` is what was or would be signed; `jws` and `kid` are there once it was."""

    id: str
    version: int
    subject_key: str
    status: Status
    status_reason: str | None
    state: State
    involvement: Involvement
    human_review: HumanReview
    basis: Basis
    review_reasons: Sequence[str]
    url: str | None
    article_id: str | None
    language: str | None
    hash_exact: str
    hash_text: str | None
    supersedes: str | None
    superseded_by: str | None
    document: dict[str, Any]
    jws: str | None
    kid: str | None
    valid_to: datetime | None
    created_at: datetime
    updated_at: datetime

    def status_at(self, moment: datetime) -> Status:
        """The status at a moment: a label in force ends with its validity."""
        if self.status == "active" and self.valid_to is not None and self.valid_to <= moment:
            return "expired"
        return self.status


# What else is written in the transaction of a label.
Also = Callable[[Connection, StoredLabel], None]
_LABEL_FIELDS = tuple(StoredLabel.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Predecessor:
    """What a new label of the same subject follows: its number, and the label in force, if there is one."""

    version: int
    current: StoredLabel | None
    last_hash: str | None


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A C2PA manifest that lies beside the asset with the hash `asset_hash`."""

    asset_hash: str
    media_type: str
    manifest: bytes


class SqlLabelRepository:
    """Labels; every method is one transaction. Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        subject_key: str,
        build: Callable[[Predecessor], StoredLabel],
        *,
        actor: str,
        also: Also | None = None,
    ) -> StoredLabel:
        """Store the label that `build` makes, and end the one it replaces; `also` writes in the same
        transaction, at its end.

        A label in force replaces the one before it. One that is not (draft, disputed) leaves it in force
        unless the text is another: then the old label says nothing about it and is superseded all the same.
        """
        with self._database.writing() as connection:
            self._lock(connection)
            current = self._current(connection, subject_key)
            version = connection.execute(
                sa.select(sa.func.coalesce(sa.func.max(LabelRow.version), 0)).where(
                    LabelRow.subject_key == subject_key
                )
            ).scalar_one()
            last_hash = self._last_hash(connection, current.id) if current else None
            label = build(Predecessor(version + 1, current, last_hash))
            connection.execute(sa.insert(LabelRow).values({n: getattr(label, n) for n in _LABEL_FIELDS}))
            detail = {"state": label.state, "basis": label.basis, "version": label.version}
            self._append(connection, label.id, _KIND_OF[label.status], actor, label.status_reason, detail)
            for name in _news_of(label):
                publish(connection, name, _notice(label))
            if current is not None and (label.status == "active" or _other_content(current, label)):
                self._supersede(connection, current, label, actor)
            if also is not None:
                also(connection, label)
        return label

    def settle(self, connection: Connection, waiting_id: str, label: StoredLabel, *, actor: str) -> None:
        """End a label that waited for a reviewer, within the transaction that issues `label` in its place."""
        waiting = self._get(connection, waiting_id)
        if waiting is not None and waiting.status in ("draft", "disputed"):
            self._supersede(connection, waiting, label, actor)

    def _supersede(
        self, connection: Connection, current: StoredLabel, label: StoredLabel, actor: str
    ) -> None:
        by = label.id if label.status == "active" else None
        reason = "content_changed" if _other_content(current, label) else "reissued"
        self._change(connection, current.id, status="superseded", status_reason=reason, superseded_by=by)
        self._append(connection, current.id, "superseded", actor, reason, {"by": by} if by else {})
        publish(
            connection,
            "label.superseded",
            {**_notice(current), "status": "superseded", "superseded_by": by},
        )

    def revoke(
        self, label_id: str, *, actor: str, reason: str, also: Also | None = None
    ) -> StoredLabel | None:
        """Withdraw a label for good; None where there is none. Revoking it again changes nothing. `also`
        writes in the same transaction, at its end.
        """
        with self._database.writing() as connection:
            self._lock(connection)
            label = self._get(connection, label_id)
            if label is None:
                return None
            if label.status != "revoked":
                self._change(connection, label_id, status="revoked", status_reason=reason)
                self._append(connection, label_id, "revoked", actor, reason, {"was": label.status})
                publish(connection, "label.revoked", {**_notice(label), "status": "revoked"})
                label = self._get(connection, label_id)
                assert label is not None
            if also is not None:
                also(connection, label)
            return label

    def get(self, label_id: str) -> StoredLabel | None:
        """The label with this id."""
        with self._database.reading() as connection:
            return self._get(connection, label_id)

    def in_force(self, subject_key: str) -> StoredLabel | None:
        """The label in force for a subject."""
        with self._database.reading() as connection:
            return self._current(connection, subject_key)

    def by_content(self, *, exact: str, text: str | None) -> Sequence[StoredLabel]:
        """Labels about this very content or about the same text, newest first; at most 20."""
        same = LabelRow.hash_exact == exact
        if text is not None:
            same = sa.or_(same, LabelRow.hash_text == text)
        query = sa.select(LabelRow).where(same).order_by(LabelRow.created_at.desc()).limit(20)
        with self._database.reading() as connection:
            return [_label(row) for row in connection.execute(query)]

    def list(
        self, status: str | None = None, after: str | None = None, limit: int = 100
    ) -> list[StoredLabel]:
        """At most `limit` labels in order of id, those with greater ids than `after`."""
        query = sa.select(LabelRow).where(LabelRow.id > (after or "")).order_by(LabelRow.id).limit(limit)
        if status is not None:
            query = query.where(LabelRow.status == status)
        with self._database.reading() as connection:
            return [_label(row) for row in connection.execute(query)]

    def history(self, label_id: str) -> Sequence[LabelEvent]:
        """What happened to a label, oldest first."""
        query = (
            sa.select(LabelEventRow)
            .where(LabelEventRow.label_id == label_id)
            .order_by(LabelEventRow.sequence)
        )
        with self._database.reading() as connection:
            return [_event(row) for row in connection.execute(query)]

    def log(self) -> Iterator[LabelEvent]:
        """Every event of every label, oldest first, as of now."""
        after = 0
        while True:
            query = (
                sa.select(LabelEventRow)
                .where(LabelEventRow.sequence > after)
                .order_by(LabelEventRow.sequence)
                .limit(_PAGE)
            )
            with self._database.reading() as connection:
                events = [_event(row) for row in connection.execute(query)]
            yield from events
            if len(events) < _PAGE:
                return
            after = events[-1].sequence

    def log_size(self) -> int:
        """How many events were ever recorded."""
        with self._database.reading() as connection:
            return connection.execute(
                sa.select(CounterRow.value).where(CounterRow.name == LABELS)
            ).scalar_one()

    def add_manifest(self, label_id: str, found: StoredManifest, *, actor: str) -> None:
        """Keep a manifest of a label; one for the same asset is replaced."""
        key = (LabelManifestRow.label_id == label_id, LabelManifestRow.asset_hash == found.asset_hash)
        with self._database.writing() as connection:
            self._lock(connection)
            connection.execute(sa.delete(LabelManifestRow).where(*key))
            connection.execute(
                sa.insert(LabelManifestRow).values(
                    label_id=label_id,
                    asset_hash=found.asset_hash,
                    media_type=found.media_type,
                    manifest=found.manifest,
                    created_at=datetime.now(UTC),
                )
            )
            detail = {"asset": found.asset_hash, "media_type": found.media_type}
            self._append(connection, label_id, "manifest_added", actor, None, detail)

    def manifest(self, label_id: str, asset_hash: str | None = None) -> StoredManifest | None:
        """The manifest for an asset, or the newest one of the label."""
        query = sa.select(LabelManifestRow).where(LabelManifestRow.label_id == label_id)
        if asset_hash is not None:
            query = query.where(LabelManifestRow.asset_hash == asset_hash)
        query = query.order_by(LabelManifestRow.number.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else StoredManifest(row.asset_hash, row.media_type, row.manifest)

    def _lock(self, connection: Connection) -> None:
        """Let no other writer of labels in until the commit; on SQLite none can be."""
        query = sa.select(CounterRow.value).where(CounterRow.name == LABELS).with_for_update()
        connection.execute(query)

    def _get(self, connection: Connection, label_id: str) -> StoredLabel | None:
        row = connection.execute(sa.select(LabelRow).where(LabelRow.id == label_id)).one_or_none()
        return None if row is None else _label(row)

    def _current(self, connection: Connection, subject_key: str) -> StoredLabel | None:
        query = (
            sa.select(LabelRow)
            .where(LabelRow.subject_key == subject_key, LabelRow.status == "active")
            .order_by(LabelRow.version.desc())
            .limit(1)
        )
        row = connection.execute(query).one_or_none()
        return None if row is None else _label(row)

    def _change(self, connection: Connection, label_id: str, **values: Any) -> None:
        values["updated_at"] = datetime.now(UTC)
        connection.execute(sa.update(LabelRow).where(LabelRow.id == label_id).values(**values))

    def _last_hash(self, connection: Connection, label_id: str | None = None) -> str | None:
        query = sa.select(LabelEventRow.hash).order_by(LabelEventRow.sequence.desc()).limit(1)
        if label_id is not None:
            query = query.where(LabelEventRow.label_id == label_id)
        return connection.execute(query).scalar_one_or_none()

    def _append(
        self,
        connection: Connection,
        label_id: str,
        kind: EventKind,
        actor: str,
        reason: str | None,
        detail: dict[str, Any],
    ) -> None:
        connection.execute(
            sa.update(CounterRow).where(CounterRow.name == LABELS).values(value=CounterRow.value + 1)
        )
        sequence = connection.execute(
            sa.select(CounterRow.value).where(CounterRow.name == LABELS)
        ).scalar_one()
        event = chained(
            sequence=sequence,
            label_id=label_id,
            kind=kind,
            at=datetime.now(UTC),
            actor=actor,
            reason=reason,
            detail=detail,
            previous=self._last_hash(connection, label_id),
            log_previous=self._last_hash(connection),
        )
        connection.execute(
            sa.insert(LabelEventRow).values({name: getattr(event, name) for name in _EVENT_FIELDS})
        )


def _news_of(label: StoredLabel) -> list[EventName]:
    """What there is to tell about a label just made."""
    news: list[EventName] = []
    if label.status == "active":
        news.append("label.issued")
    if label.status == "disputed":
        news.append("label.disputed")
    if label.review_reasons:
        news.append("label.review_needed")
    return news


def _notice(label: StoredLabel) -> dict[str, Any]:
    told = ("version", "status", "state", "url", "article_id", "superseded_by", "review_reasons")
    return {"label_id": label.id, **{name: getattr(label, name) for name in told}}


def _other_content(current: StoredLabel, label: StoredLabel) -> bool:
    if current.hash_text is not None and label.hash_text is not None:
        return current.hash_text != label.hash_text
    return current.hash_exact != label.hash_exact


def _label(row: Row[*tuple[Any, ...]]) -> StoredLabel:
    return StoredLabel(**{name: getattr(row, name) for name in _LABEL_FIELDS})


def _event(row: Row[*tuple[Any, ...]]) -> LabelEvent:
    return LabelEvent.model_validate({name: getattr(row, name) for name in _EVENT_FIELDS})
