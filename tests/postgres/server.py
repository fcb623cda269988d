"""A PostgreSQL server of our own: in a temporary folder, on a Unix socket, gone at the end.

It runs as this user, or as the user `postgres` where this is root, whom the server refuses.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg


def server_programs() -> Path | None:
    """The folder with `initdb` and `postgres`; None where no server is installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    # Debian keeps them out of the path.
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class PostgresServer:
    """Use as a context manager; `empty_database` then gives the address of an empty database."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        # Not under pytest's folder: the path of a socket may have 107 bytes, and others must get there.
        self._folder = Path(tempfile.mkdtemp(prefix="tamga-pg-"))

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self._user)
            os.chown(self._folder, entry.pw_uid, entry.pw_gid)
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres",
                    "-D", data,
                    "-k", self._folder,
                    "-h", "",
                    # Nothing here outlives the machine, so nothing need reach its disk.
                    "-c", "fsync=off",
                    "-c", "synchronous_commit=off",
                    "-c", "full_page_writes=off",
                    "-c", "max_connections=50",
                ],
                user=self._user, group=None, cwd=self._folder, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                self._execute("SELECT 1")
                return self
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.__exit__(None, None, None)
                    raise
                time.sleep(0.05)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def empty_database(self) -> str:
        """The SQLAlchemy address of the server's database, emptied of whatever a test before left in it.

        A database for each test would cost a checkpoint each.
        """
        self._execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self._execute("DROP SCHEMA IF EXISTS dbos CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return f"postgresql+psycopg://tests@/postgres?host={self._folder}"

    def _execute(self, statement: str) -> None:
        with psycopg.connect(
            host=str(self._folder), user="tests", dbname="postgres", autocommit=True
        ) as link:
            link.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(
            command, user=self._user, cwd=self._folder, check=True, capture_output=True, timeout=120
        )
