"""Generations of a vector index on disk: written whole, switched atomically, verified before use.

    <folder>/CURRENT            "gen-7 <SHA-256 of gen-7/manifest.json>"
    <folder>/gen-7/             vectors.faiss, shard-*.faiss of very large collections, manifest.json (hash
                                and size of each, model, revision, ...)
    <folder>/gen-6/             the generation before, for a reader that is just opening it
    <folder>/building-*/        shards of an index that is being built

A snapshot is a copy of what the database holds, up to a revision: losing one costs a rebuild, never a record.
A crash at any step leaves CURRENT on a complete generation. Nothing here is pickled.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from index.stores.base import SHARD_FILES, FileVectorStore, VectorFileError

VECTORS = "vectors.faiss"
MANIFEST = "manifest.json"
CURRENT = "CURRENT"
KEPT_GENERATIONS = 2

_GENERATION = re.compile(r"gen-(\d+)")
_CURRENT_LINE = re.compile(r"(gen-\d+) ([0-9a-f]{64})\n")

StoreT = TypeVar("StoreT", bound=FileVectorStore)


class SnapshotError(Exception):
    """A snapshot is damaged, incomplete or of an unknown format; the database has to be read instead."""


class Part(BaseModel):
    """A file beside the vectors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^shard-[0-9]+\.faiss$")
    sha256: str
    bytes: int


class Manifest(BaseModel):
    """What a generation holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    collection: str
    store_id: str = Field(description="Identity of the database the vectors came from")
    model_id: str = Field(description="Encoder of the vectors")
    dimension: int
    count: int = Field(description="Number of vectors")
    revision: int = Field(description="Last database revision contained")
    vectors_sha256: str
    vectors_bytes: int
    shards: tuple[Part, ...] = ()
    created_at: datetime


class SnapshotFolder:
    """The generations of one index. Processes share the folder: a writer excludes others by a file lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._workspaces: list[BinaryIO] = []
        self._hashes: dict[tuple[int, int], str] = {}

    def write(
        self, store: FileVectorStore, *, collection: str, store_id: str, model_id: str, revision: int
    ) -> int:
        """Write a new generation and make it the current one; returns its number. The store must not change
        meanwhile.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with self._locked(fcntl.LOCK_EX):
            self._remove_leftovers()
            number = max(self._generations(), default=0) + 1
            draft = Path(tempfile.mkdtemp(prefix="draft-", dir=self.path))
            try:
                store.write(draft / VECTORS)
                _flush(draft / VECTORS)
                shards = tuple(self._part(path) for path in sorted(draft.glob(SHARD_FILES)))
                manifest = Manifest(
                    collection=collection,
                    store_id=store_id,
                    model_id=model_id,
                    dimension=store.dimension,
                    count=len(store),
                    revision=revision,
                    vectors_sha256=_sha256(draft / VECTORS),
                    vectors_bytes=(draft / VECTORS).stat().st_size,
                    shards=shards,
                    created_at=datetime.now(UTC),
                )
                encoded = (manifest.model_dump_json(indent=2) + "\n").encode()
                (draft / MANIFEST).write_bytes(encoded)
                _flush(draft / MANIFEST)
                _flush(draft)
                draft.rename(self.path / f"gen-{number}")
                _flush(self.path)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            self._switch(f"gen-{number} {hashlib.sha256(encoded).hexdigest()}\n")
            store.moved_to(self.path / f"gen-{number}" / VECTORS)
            for old in self._generations():
                if old <= number - KEPT_GENERATIONS:
                    shutil.rmtree(self.path / f"gen-{old}", ignore_errors=True)
            return number

    def workspace(self) -> Path:
        """A new folder for an index that is too large to be built in memory. It is the caller's until this
        process ends; then the next call removes it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with self._locked(fcntl.LOCK_EX):
            for left in self.path.glob("building-*"):
                with suppress(OSError), (left / "lock").open("ab") as handle:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(left, ignore_errors=True)
            made = Path(tempfile.mkdtemp(prefix="building-", dir=self.path))
            handle = (made / "lock").open("ab")
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._workspaces.append(handle)
        return made

    def load(self, read: Callable[[Path], StoreT]) -> tuple[StoreT, Manifest] | None:
        """The current generation, verified byte by byte; None where none was ever written.

        Raises SnapshotError where it cannot be trusted, saying which file and why.
        """
        if not (self.path / CURRENT).exists():
            return None
        with self._locked(fcntl.LOCK_SH):
            try:
                return self._load(read)
            except OSError as error:
                raise SnapshotError(f"the snapshot in {self.path.name} is incomplete: {error}") from error

    def _load(self, read: Callable[[Path], StoreT]) -> tuple[StoreT, Manifest]:
        line = _CURRENT_LINE.fullmatch((self.path / CURRENT).read_bytes().decode("utf-8", "replace"))
        if line is None:
            raise SnapshotError(
                f"{self.path.name}/{CURRENT} is damaged: it does not name a generation and its hash"
            )
        name, manifest_hash = line.groups()
        encoded = (self.path / name / MANIFEST).read_bytes()
        if hashlib.sha256(encoded).hexdigest() != manifest_hash:
            raise SnapshotError(
                f"{self.path.name}/{name}/{MANIFEST} is damaged: its hash is not the one in {CURRENT}"
            )
        try:
            manifest = Manifest.model_validate_json(encoded)
        except ValidationError as error:
            reason = error.errors()[0]
            raise SnapshotError(
                f"{self.path.name}/{name}/{MANIFEST} is of a format this version cannot read: "
                f"{'.'.join(map(str, reason['loc']))}: {reason['msg']}"
            ) from error
        vectors = self.path / name / VECTORS
        # The hash goes first: FAISS reads a file with a flipped byte without complaint and answers wrongly.
        if vectors.stat().st_size != manifest.vectors_bytes or _sha256(vectors) != manifest.vectors_sha256:
            raise SnapshotError(
                f"{self.path.name}/{name}/{VECTORS} is damaged: its hash is not the one in its manifest"
            )
        for shard in manifest.shards:
            if self._part(self.path / name / shard.name) != shard:
                where = f"{self.path.name}/{name}/{shard.name}"
                raise SnapshotError(f"{where} is damaged: its hash is not the one in its manifest")
        try:
            store = read(vectors)
        except VectorFileError as error:
            raise SnapshotError(f"{self.path.name}/{name}: {error}") from error
        if store.dimension != manifest.dimension or len(store) != manifest.count:
            raise SnapshotError(
                f"{self.path.name}/{name} holds {len(store)} vectors of {store.dimension} numbers, "
                f"its manifest says {manifest.count} of {manifest.dimension}"
            )
        return store, manifest

    def _part(self, path: Path) -> Part:
        # A shard never changes and is linked into the next generation: the same file is read once.
        state = path.stat()
        known = (state.st_ino, state.st_mtime_ns)
        if known not in self._hashes:
            _flush(path)
            self._hashes[known] = _sha256(path)
        return Part(name=path.name, sha256=self._hashes[known], bytes=state.st_size)

    def _switch(self, line: str) -> None:
        draft = self.path / f"{CURRENT}.draft"
        draft.write_bytes(line.encode())
        _flush(draft)
        draft.replace(self.path / CURRENT)
        _flush(self.path)

    def _generations(self) -> list[int]:
        found = (_GENERATION.fullmatch(entry.name) for entry in self.path.iterdir())
        return sorted(int(match.group(1)) for match in found if match)

    def _remove_leftovers(self) -> None:
        # Drafts of a writer that was killed; the lock says that none is alive.
        for draft in self.path.glob("draft-*"):
            shutil.rmtree(draft, ignore_errors=True)

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        with (self.path / "lock").open("ab") as handle:
            fcntl.flock(handle, kind)
            yield  # closing the file releases the lock, and so does the death of the process


def _flush(path: Path) -> None:
    """Force a file's content, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
