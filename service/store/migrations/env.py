"""Alembic's entry: runs on the connection, and in the transaction, that the store hands in."""

from __future__ import annotations

from alembic import context

from service.store import (  # noqa: F401 - their tables belong to the metadata
    access_models,
    account_models,
    audit_models,
    policy_models,
    review_models,
    webhook_models,
)
from service.store.models import Base

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations run through service.store.migration, which opens the database")

context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    # SQLite alters a table by copying it.
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
