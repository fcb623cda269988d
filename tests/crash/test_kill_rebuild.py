"""`kill -9` in the middle of a rebuild: the old generation is loaded, caught up and searched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from hash_encoder import HashEncoder

from index.passage_index import PassageIndex
from index.records import VerifiedRecord
from index.search import RecordSearch
from index.snapshot import SnapshotFolder
from index.stores.faiss_ivf import FaissIvfStore
from index.stores.faiss_shards import FaissShardsStore
from service.records import RecordIngest
from service.store import open_store

ROOT = Path(__file__).parents[2]
PATHS = [str(ROOT), str(ROOT / "tests" / "support")]
COUNT = 300
LIMIT = 100

# The child opens the same home, begins to rebuild, says so, and never ends by itself.
CHILD = """
import sys, time
import hash_encoder, index.passage_index as target
from pathlib import Path
from index.snapshot import SnapshotFolder
from service.store import open_store

home = Path(sys.argv[1])
store = open_store(f"sqlite:///{home / 'tamga.db'}")
index = target.PassageIndex(
    store.records, hash_encoder.HashEncoder(), SnapshotFolder(home / "index"), exact_limit=100
)
index.load()

def stuck(*content):
    print("rebuilding", flush=True)
    time.sleep(600)

target.new_store = stuck
index.rebuild()
"""


def claim(number: int) -> str:
    return f"Statement number {number} of the register."


def test_the_old_generation_serves_after_a_killed_rebuild(tmp_path: Path) -> None:
    encoder = HashEncoder()
    store = open_store(f"sqlite:///{tmp_path / 'tamga.db'}")
    ingest = RecordIngest(store.records, encoder)
    list(ingest.add(VerifiedRecord(id=str(number), claim=claim(number)) for number in range(COUNT)))

    def opened() -> PassageIndex:
        index = PassageIndex(store.records, encoder, SnapshotFolder(tmp_path / "index"), exact_limit=LIMIT)
        index.load()
        return index

    first = opened()
    assert isinstance(first.store, FaissIvfStore)
    assert first.save()
    list(ingest.add([VerifiedRecord(id="late", claim="Came after the snapshot.")]))
    store.records.delete("7")
    before = (tmp_path / "index" / "CURRENT").read_bytes()

    environment = os.environ | {"PYTHONPATH": os.pathsep.join(PATHS)}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "rebuilding"
    child.send_signal(signal.SIGKILL)
    assert child.wait(timeout=30) == -signal.SIGKILL
    child.stdout.close()

    assert (tmp_path / "index" / "CURRENT").read_bytes() == before
    started = time.monotonic()
    index = opened()
    assert index.notices == []
    search = RecordSearch(store.records, index)
    asked = [claim(number) for number in range(0, COUNT, 25)] + ["Came after the snapshot."]
    found = [hits[0].record.id for hits in search.search(asked, 1)]
    assert found == [str(number) for number in range(0, COUNT, 25)] + ["late"]
    scores = [hits[0].cosine for hits in search.search(asked, 1)]
    # Ranked again by the stored vectors: exact, whatever eight bits made of them.
    assert np.allclose(scores, 1, atol=5e-4)
    assert "7" not in [hit.record.id for hit in search.search([claim(7)], 50)[0]]
    assert time.monotonic() - started < 120
    store.close()


# The child builds shards, and is killed by itself when the second one stands in its folder.
SHARDS_CHILD = """
import os, signal, sys
import hash_encoder
from pathlib import Path
from index.passage_index import PassageIndex
from index.snapshot import SnapshotFolder
from index.stores.faiss_shards import FaissShardsStore
from service.store import open_store

home = Path(sys.argv[1])
store = open_store(f"sqlite:///{home / 'tamga.db'}")
index = PassageIndex(
    store.records, hash_encoder.HashEncoder(), SnapshotFolder(home / "index"),
    exact_limit=100, shard_limit=200, shard_vectors=100,
)
index.load()
upsert = FaissShardsStore.upsert

def killed(self, ids, vectors):
    for first in range(0, len(ids), 50):
        upsert(self, ids[first : first + 50], vectors[first : first + 50])
        if self.shard_count == 2:
            os.kill(os.getpid(), signal.SIGKILL)

FaissShardsStore.upsert = killed
index.rebuild()
"""


def test_the_old_shards_serve_after_a_build_was_killed(tmp_path: Path) -> None:
    encoder = HashEncoder()
    store = open_store(f"sqlite:///{tmp_path / 'tamga.db'}")
    ingest = RecordIngest(store.records, encoder)
    list(ingest.add(VerifiedRecord(id=str(number), claim=claim(number)) for number in range(COUNT)))

    def opened() -> PassageIndex:
        index = PassageIndex(
            store.records, encoder, SnapshotFolder(tmp_path / "index"),
            exact_limit=LIMIT, shard_limit=200, shard_vectors=100,
        )  # fmt: skip
        index.load()
        return index

    first = opened()
    assert isinstance(first.store, FaissShardsStore)
    assert first.save()
    del first
    list(ingest.add([VerifiedRecord(id="late", claim="Came after the snapshot.")]))
    store.records.delete("7")
    before = (tmp_path / "index" / "CURRENT").read_bytes()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(PATHS)}
    child = subprocess.run(
        [sys.executable, "-c", SHARDS_CHILD, str(tmp_path)], env=environment, timeout=240, check=False
    )
    assert child.returncode == -signal.SIGKILL
    (left,) = (tmp_path / "index").glob("building-*")
    assert len(list(left.glob("shard-*"))) == 2

    assert (tmp_path / "index" / "CURRENT").read_bytes() == before
    index = opened()
    assert index.notices == []
    assert isinstance(index.store, FaissShardsStore)
    search = RecordSearch(store.records, index)
    asked = [claim(number) for number in range(0, COUNT, 25)] + ["Came after the snapshot."]
    hits = [found[0] for found in search.search(asked, 1)]
    assert [hit.record.id for hit in hits] == [str(number) for number in range(0, COUNT, 25)] + ["late"]
    assert np.allclose([hit.cosine for hit in hits], 1, atol=5e-4)
    assert "7" not in [hit.record.id for hit in search.search([claim(7)], 50)[0]]
    index.rebuild()
    assert not left.exists()
    assert search.search([claim(50)], 1)[0][0].record.id == "50"
    assert index.save()
    assert not list((tmp_path / "index").glob("building-*"))
    store.close()
