"""The database, both vector indexes and the index of the records' words, opened together."""

from __future__ import annotations

from contextlib import ExitStack

from classifiers.models import Encoder
from index.articles import ArticleIndex
from index.lexical import LexicalIndex
from index.search import RecordSearch
from service.records import RecordIngest
from service.settings import Settings
from service.store import Store, open_store
from service.vectors import VectorHome


class Library:
    """What the service knows: verified records and articles seen, stored and searchable."""

    def __init__(
        self,
        store: Store,
        vectors: VectorHome,
        records: RecordSearch,
        articles: ArticleIndex,
        ingest: RecordIngest,
    ) -> None:
        self.store = store
        self._vectors = vectors
        self.records = records
        self.articles = articles
        self.ingest = ingest

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know about how the indexes came up, such as a damaged snapshot that was
        rebuilt.
        """
        return (*self.records.notices, *self.articles.index.notices)

    def ping(self) -> None:
        """Do database and vectors answer? Raises StoreError, VectorStoreUnavailable."""
        self.store.ping()
        for index in (self.records.index, self.articles.index):
            index.store.ping()

    def save(self) -> None:
        """Take in what was committed and write snapshots of what changed, so that the next start is quick."""
        for index in (self.records, self.articles):
            index.refresh()
            index.save()

    def close(self) -> None:
        """Save, then close the database."""
        try:
            self.save()
        finally:
            self._vectors.close()
            self.store.close()


def open_library(
    settings: Settings, encoder: Encoder, *, store: Store | None = None, progress: bool = False
) -> Library:
    """Open or create everything under the data directory; with a `store` that is open already, the rest.

    Brings the tables up to date, loads both indexes (rebuilding them from the database where a snapshot is
    missing or damaged) and embeds whatever `encoder` has not embedded yet. Raises StoreError,
    ConfigurationError, VectorStoreUnavailable.
    """
    with ExitStack() as opened:
        if store is None:
            store = open_store(settings.database)
            opened.callback(store.close)
        vectors = VectorHome(settings)
        opened.callback(vectors.close)
        indexes = {}
        for repository in (store.records, store.articles):
            index = vectors.index(repository, encoder)
            index.load(progress=progress)
            indexes[repository.collection] = index
        lexical = LexicalIndex(store.records, settings.index_folder / "records-words")
        if indexes[store.records.collection].notices:
            # The snapshot did not fit the database (another one, or an older copy): nor may the words.
            lexical.rebuild(progress=progress)
        else:
            lexical.load(progress=progress)
        opened.pop_all()
        return Library(
            store,
            vectors,
            RecordSearch(store.records, indexes[store.records.collection], lexical),
            ArticleIndex(
                store.articles, indexes[store.articles.collection], max_windows=settings.max_article_windows
            ),
            RecordIngest(store.records, encoder),
        )
