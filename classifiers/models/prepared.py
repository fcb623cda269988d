"""Model files prepared once per machine: built in a scratch folder, hashed, then renamed into place.

A prepared folder holds ``manifest.json`` with the SHA-256 of every file and of the source it was built from.
Folders are named by content, so that an older Tamga on the same machine keeps its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "manifest.json"


class ModelFilesError(RuntimeError):
    """Prepared model files are damaged or cannot be built."""


def models_home() -> Path:
    """``TAMGA_MODELS``, or ``tamga/models`` under the user's cache directory."""
    configured = os.environ.get("TAMGA_MODELS")
    if configured:
        return Path(configured).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "tamga" / "models"


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class PreparedFolder:
    """A folder of model files with its manifest."""

    path: Path
    files: dict[str, str]
    """Relative path -> SHA-256."""
    source_sha256: str

    def verified(self, *names: str) -> PreparedFolder:
        """Self, after checking the named files (all when none is named) against their hashes.

        Raises:
            ModelFilesError: a file is missing or differs; says how to build it again.
        """
        for name in names or self.files:
            path = self.path / name
            if not path.is_file() or sha256_of(path) != self.files[name]:
                raise ModelFilesError(
                    f"model file {path} is missing or damaged; "
                    "run `tamga models prepare --force` to build it again"
                )
        return self


def open_prepared(folder: Path) -> PreparedFolder | None:
    """The prepared folder at ``folder``, or ``None`` where none has been completed."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return PreparedFolder(folder, dict(manifest["files"]), str(manifest["source_sha256"]))
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ModelFilesError(
            f"{folder / MANIFEST} is damaged: {error}; delete the folder to build it again"
        ) from error


def prepare_folder(folder: Path, source_sha256: str, build: Callable[[Path], None]) -> PreparedFolder:
    """Return ``folder`` if it is complete, else build it atomically.

    Args:
        source_sha256: identifies what the files are made from; goes into the manifest.
        build: writes the files into the scratch folder that it is given.
    """
    existing = open_prepared(folder)
    if existing is not None:
        return existing
    with _exclusive(folder):
        existing = open_prepared(folder)
        if existing is not None:  # another process built it while we waited
            return existing
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            build(scratch)
            _write_manifest(scratch, source_sha256)
            if folder.exists():  # left over from a build that was cut off before its manifest
                shutil.rmtree(folder)
            scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    prepared = open_prepared(folder)
    if prepared is None:
        raise ModelFilesError(f"{folder} could not be prepared")
    return prepared


def _write_manifest(folder: Path, source_sha256: str) -> None:
    files = {
        str(path.relative_to(folder)): sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    manifest = {"source_sha256": source_sha256, "files": files}
    for name in files:
        _fsync(folder / name)
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    _fsync(path)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """One builder at a time over all processes; freed by the kernel if its holder dies."""
    import fcntl

    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
