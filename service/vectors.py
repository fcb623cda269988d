"""Which engine holds the vectors, by the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classifiers.models import Encoder
from index.passage_index import PassageIndex
from index.passage_vectors import PassageVectors
from index.ports import PassageRepository
from index.shared_passage_index import SharedPassageIndex
from index.snapshot import SnapshotFolder
from service.errors import ConfigurationError
from service.settings import Settings

if TYPE_CHECKING:
    from index.stores.milvus import MilvusServer


class VectorHome:
    """Where the vectors of every collection are: in this process, or on a server to which it connects."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigurationError where the settings name a server but not where it is, or pymilvus is not
        installed; VectorStoreUnavailable where the server does not answer.
        """
        self._folder = settings.index_folder
        self._server = milvus_server(settings) if settings.vector_store == "milvus" else None

    def index(self, repository: PassageRepository, encoder: Encoder) -> PassageVectors:
        """The index of one collection, not loaded yet."""
        if self._server is not None:
            return SharedPassageIndex(repository, encoder, self._server)
        return PassageIndex(repository, encoder, SnapshotFolder(self._folder / repository.collection))

    def close(self) -> None:
        """Give the connection up, where there is one."""
        if self._server is not None:
            self._server.close()


def milvus_server(settings: Settings) -> MilvusServer:
    """The Milvus server of the settings, connected. Raises what `VectorHome` raises."""
    from index.stores.milvus import MilvusServer

    if settings.milvus_uri is None:
        raise ConfigurationError("TAMGA_VECTOR_STORE is milvus: TAMGA_MILVUS_URI has to say where it is")
    token = settings.milvus_token
    try:
        return MilvusServer(
            settings.milvus_uri,
            token=token.get_secret_value() if token is not None else None,
            database=settings.milvus_database,
            seconds=settings.milvus_seconds,
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"TAMGA_VECTOR_STORE is milvus, and {error.name} is not installed: "
            "pip install 'tamga-newsroom[cluster]'"
        ) from error
