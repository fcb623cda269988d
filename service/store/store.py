"""Opening the database."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.accounts import SqlAccountRepository
from service.store.articles import SqlArticleRepository
from service.store.audit_log import SqlAuditLog
from service.store.audits import SqlAuditRepository
from service.store.database import Database
from service.store.deliveries import SqlDeliveryRepository
from service.store.feeds import SqlFeedRepository
from service.store.idempotency import SqlIdempotencyRepository
from service.store.keys import SqlKeyRepository
from service.store.labels import SqlLabelRepository
from service.store.migration import migrate
from service.store.policy import SqlPolicyRepository
from service.store.records import SqlRecordRepository
from service.store.reviews import SqlReviewRepository
from service.store.webhooks import SqlWebhookRepository


class Store:
    """The repositories over one open database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.records = SqlRecordRepository(database)
        self.articles = SqlArticleRepository(database)
        self.feeds = SqlFeedRepository(database)
        self.labels = SqlLabelRepository(database)
        self.access_keys = SqlKeyRepository(database)
        self.accounts = SqlAccountRepository(database)
        self.audit_log = SqlAuditLog(database)
        self.audits = SqlAuditRepository(database)
        self.reviews = SqlReviewRepository(database)
        self.policy = SqlPolicyRepository(database)
        self.idempotency = SqlIdempotencyRepository(database)
        self.webhooks = SqlWebhookRepository(database)
        self.deliveries = SqlDeliveryRepository(database)

    def ping(self) -> None:
        """Ask the database something; raises StoreError where it does not answer."""
        with self.database.reading() as connection:
            connection.execute(sa.select(1))

    def close(self) -> None:
        """Close all connections."""
        self.database.close()


def open_store(database_url: str) -> Store:
    """Open the database, creating or upgrading it where needed.

    `database_url` as SQLAlchemy writes it: sqlite:///PATH. Raises StoreError where it cannot be used.
    """
    database = Database(database_url)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return Store(database)
