"""The articles analysed so far, and their analyses; implements `index.ports.ArticleRepository`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from index.articles import Article, EmbeddedArticle
from index.ports import StoredArticle
from service.store.audit_log import append
from service.store.documents import DocumentRepository, EmbeddedDocument, in_parts
from service.store.models import ARTICLES, AnalysisRow, ArticleRow, DocumentRow
from service.store.outbox import publish

_ARTICLE_FIELDS = tuple(Article.model_fields)


@dataclass(frozen=True, slots=True)
class ArticleHead:
    """What is known of a stored article besides its text."""

    id: str
    title: str | None
    outlet: str | None
    url: str | None
    language: str | None
    published_at: str | None
    created_at: datetime
    text_dropped_at: datetime | None


_HEAD_COLUMNS = tuple(getattr(ArticleRow, field.name) for field in fields(ArticleHead))


class SqlArticleRepository(DocumentRepository):
    """Articles with their analyses; every method is one transaction. Safe to use from threads."""

    collection = ARTICLES

    def save(
        self,
        article: Article,
        embedded: EmbeddedArticle,
        *,
        model_id: str,
        analysis: Mapping[str, Any],
        versions: Mapping[str, str],
        index_generation: int,
        notice: Mapping[str, Any] | None = None,
        also: Callable[[Connection], None] | None = None,
    ) -> None:
        """Store an article, its vectors by the encoder `model_id`, and an analysis of it; `notice` is what
        webhooks tell of it, `also` writes in the same transaction.

        An article with the same id is replaced; its earlier analyses stay.
        """
        now = datetime.now(UTC)
        values: dict[str, Any] = article.model_dump()
        if article.published_at is not None:
            values["published_at"] = article.published_at.isoformat()
        values["content_hash"] = article.content_hash
        with self._database.writing() as connection:
            self._lock_revisions(connection)
            placed = self._put_documents(connection, [article.id])
            number = placed.numbers[article.id]
            if placed.replaced:
                connection.execute(sa.update(ArticleRow).where(ArticleRow.number == number).values(**values))
            else:
                connection.execute(sa.insert(ArticleRow).values(number=number, created_at=now, **values))
            document = EmbeddedDocument(number, embedded.passages, embedded.vectors)
            self._put_passages(connection, [document], model_id)
            connection.execute(
                sa.insert(AnalysisRow).values(
                    article_number=number,
                    content=dict(analysis),
                    versions=dict(versions),
                    index_generation=index_generation,
                    created_at=now,
                )
            )
            if notice is not None:
                publish(connection, "article.analysed", notice)
            if also is not None:
                also(connection)
            known = {"content_hash": article.content_hash, "index_generation": index_generation}
            append(connection, "article.store", article.id, known)

    def get(self, article_id: str) -> Article | None:
        """The article with this id; None also where its text was dropped."""
        query = sa.select(ArticleRow).where(ArticleRow.id == article_id, ArticleRow.text_dropped_at.is_(None))
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _article(row)

    def heads(self, after: str | None = None, limit: int = 100) -> Sequence[ArticleHead]:
        """At most `limit` articles, the last one that was new first, those before the one with the id
        `after`.
        """
        query = sa.select(*_HEAD_COLUMNS).order_by(ArticleRow.number.desc()).limit(limit)
        if after is not None:
            number = sa.select(ArticleRow.number).where(ArticleRow.id == after).scalar_subquery()
            query = query.where(ArticleRow.number < number)
        with self._database.reading() as connection:
            return [ArticleHead(*row) for row in connection.execute(query)]

    def analysis(self, article_id: str) -> dict[str, Any] | None:
        """The latest analysis of an article, as it was saved."""
        query = (
            sa.select(AnalysisRow.content)
            .join(ArticleRow, ArticleRow.number == AnalysisRow.article_number)
            .where(ArticleRow.id == article_id)
            .order_by(AnalysisRow.analysis_number.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def find_by_content(self, content_hash: str) -> str | None:
        """The id of the first article with this title and text (`Article.content_hash`)."""
        query = (
            sa.select(ArticleRow.id)
            .where(ArticleRow.content_hash == content_hash)
            .order_by(ArticleRow.number)
            .limit(1)
        )
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def count(self) -> int:
        """How many articles there are."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(ArticleRow)).scalar_one()

    def drop_texts(self, before: datetime, *, limit: int) -> int:
        """Forget the texts of at most `limit` articles stored before `before`, oldest first; returns how
        many.

        The article's text, its passages and vectors go, and what its analyses quote of it. What is known
        about it stays: metadata, hash, scores, matched records.
        """
        now = datetime.now(UTC)
        old = (
            sa.select(ArticleRow.number, ArticleRow.id)
            .where(ArticleRow.created_at < before, ArticleRow.text_dropped_at.is_(None))
            .order_by(ArticleRow.created_at, ArticleRow.number)
            .limit(limit)
        )
        with self._database.writing() as connection:
            self._lock_revisions(connection)
            articles = connection.execute(old).all()
            for number, article_id in articles:
                self._bury_document(connection, article_id)
                connection.execute(
                    sa.update(ArticleRow)
                    .where(ArticleRow.number == number)
                    .values(text="", text_dropped_at=now)
                )
                _drop_quotations(connection, number, now)
            if articles:
                dropped = {"ids": [article_id for _, article_id in articles]}
                append(connection, "articles.drop_texts", f"{len(articles)} articles", dropped)
            return len(articles)

    def delete(self, article_id: str) -> bool:
        """Remove an article with its analyses; says whether there was one."""
        with self._database.writing() as connection:
            self._lock_revisions(connection)
            number = connection.execute(
                sa.select(ArticleRow.number).where(ArticleRow.id == article_id)
            ).scalar_one_or_none()
            if number is None:
                return False
            self._bury_document(connection, article_id)
            connection.execute(sa.delete(ArticleRow).where(ArticleRow.number == number))
            append(connection, "article.delete", article_id, {})
            return True

    def fetch(self, numbers: Collection[int]) -> Mapping[int, StoredArticle]:
        """The articles with these numbers; missing ones were deleted."""
        found: dict[int, StoredArticle] = {}
        with self._database.reading() as connection:
            passages = self._passages(connection, numbers)
            for part in in_parts(numbers):
                for row in connection.execute(
                    sa.select(ArticleRow, DocumentRow.revision)
                    .join(DocumentRow, DocumentRow.number == ArticleRow.number)
                    .where(ArticleRow.number.in_(part))
                ):
                    found[row.number] = StoredArticle(
                        row.number, row.revision, _article(row), tuple(passages[row.number])
                    )
        return found

    def _fields(self, connection: Connection, numbers: Collection[int]) -> Mapping[int, Mapping[str, str]]:
        columns = (ArticleRow.number, ArticleRow.title, ArticleRow.text)
        return {
            row.number: {"title": row.title, "text": row.text}
            for part in in_parts(numbers)
            for row in connection.execute(sa.select(*columns).where(ArticleRow.number.in_(part)))
        }


def _drop_quotations(connection: Connection, number: int, now: datetime) -> None:
    query = sa.select(AnalysisRow.analysis_number, AnalysisRow.content)
    for analysis_number, content in connection.execute(
        query.where(AnalysisRow.article_number == number)
    ).all():
        kept = {
            **content,
            "text": None,
            "claims": [{**claim, "text": ""} for claim in content.get("claims", [])],
            "text_dropped_at": now.isoformat(),
        }
        connection.execute(
            sa.update(AnalysisRow).where(AnalysisRow.analysis_number == analysis_number).values(content=kept)
        )


def _article(row: Row[*tuple[Any, ...]]) -> Article:
    return Article.model_validate({name: getattr(row, name) for name in _ARTICLE_FIELDS})
