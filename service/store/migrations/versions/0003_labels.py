"""Labels, their history and their C2PA manifests.

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Types are spelled out: what a migration did must not change when the models do.
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_COUNTERS = sa.table("counters", sa.column("name", sa.String), sa.column("value", sa.BigInteger))


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject_key", sa.String(80), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("status_reason", sa.Text()),
        sa.Column("state", sa.String(30), nullable=False),
        sa.Column("involvement", sa.String(20), nullable=False),
        sa.Column("human_review", sa.String(20), nullable=False),
        sa.Column("basis", sa.String(30), nullable=False),
        sa.Column("review_reasons", sa.JSON(), nullable=False),
        sa.Column("url", sa.Text()),
        sa.Column("article_id", sa.String(200)),
        sa.Column("language", sa.String(35)),
        sa.Column("hash_exact", sa.String(80), nullable=False),
        sa.Column("hash_text", sa.String(80)),
        sa.Column("supersedes", sa.String(36)),
        sa.Column("superseded_by", sa.String(36)),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("jws", sa.Text()),
        sa.Column("kid", sa.String(64)),
        sa.Column("valid_to", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.UniqueConstraint("subject_key", "version", name="uq_labels_subject_key_version"),
    )
    for column in ("status", "article_id", "hash_exact", "hash_text"):
        op.create_index(f"ix_labels_{column}", "labels", [column])


def _events_and_manifests() -> None:
    op.create_table(
        "label_events",
        sa.Column("sequence", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("label_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(80)),
        sa.Column("log_previous", sa.String(80)),
        sa.Column("hash", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_label_events"),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name="fk_label_events_label_id_labels"),
    )
    op.create_index("ix_label_events_label_id", "label_events", ["label_id"])
    op.create_table(
        "label_manifests",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("label_id", sa.String(36), nullable=False),
        sa.Column("asset_hash", sa.String(80), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_label_manifests"),
        sa.UniqueConstraint("label_id", "asset_hash", name="uq_label_manifests_label_id_asset_hash"),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name="fk_label_manifests_label_id_labels"),
        sqlite_autoincrement=True,
    )


def _refuse_changes() -> None:
    """Events are only ever added; the database itself refuses anything else."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER label_events_no_{verb} BEFORE {verb.upper()} ON label_events "
                "BEGIN SELECT RAISE(ABORT, 'the history of labels is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION label_events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the history of labels is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER label_events_append_only BEFORE UPDATE OR DELETE ON label_events "
        "FOR EACH ROW EXECUTE FUNCTION label_events_append_only()"
    )


def upgrade() -> None:
    """Create the tables; start the count of events at 0."""
    _labels()
    _events_and_manifests()
    _refuse_changes()
    op.bulk_insert(_COUNTERS, [{"name": "labels", "value": 0}])


def downgrade() -> None:
    """Drop everything, referring tables first; triggers go with their table."""
    op.execute(sa.delete(_COUNTERS).where(_COUNTERS.c.name == "labels"))
    for table in ("label_manifests", "label_events", "labels"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION label_events_append_only()")
