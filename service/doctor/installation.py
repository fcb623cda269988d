"""Folders, disk, optional parts and models."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from service.doctor.findings import Finding, failed, ok, warning
from service.settings import Settings

GIGABYTE: Final = 10**9
# An index is written beside the one before it, and a backup beside the database.
_LOW_BYTES: Final = 2 * GIGABYTE
_FULL_BYTES: Final = GIGABYTE // 5


def folders(settings: Settings) -> Iterator[Finding]:
    """Can the service write where it has to, and can nobody else read the keys?"""
    from classifiers.models import models_home

    for name, folder in (("home", settings.home), ("models folder", models_home())):
        nearest = _existing(folder)
        if not nearest.is_dir():
            yield failed("folders", f"{name} {folder}: {nearest} is no folder", "move it out of the way")
        elif not os.access(nearest, os.W_OK | os.X_OK):
            yield failed(
                "folders",
                f"{name} {folder} cannot be written",
                f"chown it to the user of the service: {nearest}",
            )
        elif nearest != folder:
            yield ok("folders", f"{name} {folder} is made at the first start")
        else:
            yield ok("folders", f"{name} {folder}")
    secret = settings.home / "keys"
    for path in (secret, *secret.rglob("*")) if secret.is_dir() else ():
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077 and path.name != ".lock":
            yield failed("folders", f"{path} can be read by others (mode {mode:04o})", f"chmod go-rwx {path}")


def disk(settings: Settings) -> Iterator[Finding]:
    """Is there room?"""
    from classifiers.models import models_home

    seen: set[int] = set()
    for folder in (settings.home, models_home()):
        nearest = _existing(folder)
        if nearest.stat().st_dev in seen:
            continue
        seen.add(nearest.stat().st_dev)
        free = shutil.disk_usage(nearest).free
        detail = f"{free / GIGABYTE:.1f} GB free for {folder}"
        if free < _FULL_BYTES:
            yield failed("disk", detail, "make room: writes will fail")
        elif free < _LOW_BYTES:
            yield warning("disk", detail, "make room for an index beside the one in use")
        else:
            yield ok("disk", detail)


def parts(settings: Settings) -> Iterator[Finding]:
    """Are the optional parts there that the settings ask for?"""
    postgres = settings.database.startswith("postgresql")
    wanted = (
        (postgres, "psycopg", "PostgreSQL driver", "postgres"),
        (settings.trace_endpoint is not None, "opentelemetry.exporter.otlp.proto.http", "traces", "otel"),
    )
    for needed, module, what, extra in wanted:
        if needed and not _installed(module):
            yield failed("parts", f"{what}: not installed", f"pip install 'tamga-newsroom[{extra}]'")
        elif needed:
            yield ok("parts", f"{what}: installed")
    if postgres and shutil.which("pg_dump") is None:
        yield warning(
            "parts", "pg_dump is not installed: `tamga backup` cannot work", "install PostgreSQL's client"
        )
    for name in ("c2pa_anchors", "watermarks"):
        path: Path | None = getattr(settings, name)
        if path is not None and not os.access(path, os.R_OK):
            yield failed("parts", f"{path} cannot be read", f"correct TAMGA_{name.upper()}")


def models(settings: Settings) -> Iterator[Finding]:
    """Are the prepared model files what they were when they were made?"""
    from classifiers.models import ModelFilesError, models_home
    from classifiers.models.prepare import prepared_places
    from classifiers.models.prepared import MANIFEST, open_prepared

    for place in prepared_places():
        if not (place / MANIFEST).is_file():
            yield warning(
                "models",
                f"{place.name} is not prepared: the first start takes longer",
                "tamga models prepare",
            )
    home = models_home()
    for manifest in sorted(home.glob(f"*/{MANIFEST}")) if home.is_dir() else ():
        try:
            prepared = open_prepared(manifest.parent)
            files = len(prepared.verified().files) if prepared is not None else 0
        except ModelFilesError as error:
            yield failed("models", str(error).split(";")[0], f"rm -r {manifest.parent}; tamga models prepare")
        else:
            yield ok("models", f"{manifest.parent.name}: {files} files, hashes as prepared")


def _existing(path: Path) -> Path:
    """The path, or what exists of it."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
