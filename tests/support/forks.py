"""Programs that can be killed and started again at once: one process imports everything, which takes seconds,
and is forked for each of them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx2

ROOT: Final = Path(__file__).parents[2]

# Reads "run<TAB>arguments" and answers with the number of the process, or "wait<TAB>number" and answers with
# its status. Whoever forks must not compute before: a thread pool would be lost in the child.
_LOOP: Final = """
import os, sys
answers = os.fdopen(int(sys.argv[1]), "w")
for line in sys.stdin:
    command, *arguments = line.rstrip("\\n").split("\\t")
    if command == "run":
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            try:
                os._exit(run(*arguments) or 0)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(70)
        print(child, file=answers, flush=True)
    else:
        print(os.waitpid(int(arguments[0]), 0)[1], file=answers, flush=True)
"""


class Forks:
    """Runs a function `run(*arguments)`, which `code` defines, in processes of their own. What they write to
    standard output and error goes to the file `log`.
    """

    def __init__(self, code: str, log: Path, **environment: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TAMGA_")}
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
        self._log = log
        self._answering = threading.Lock()
        answers, spoken = os.pipe()
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                # The answers go through a pipe of their own: standard output belongs to the forked programs.
                [sys.executable, "-c", f"{code}\n{_LOOP}", str(spoken)],
                stdin=subprocess.PIPE,
                stdout=errors,
                stderr=errors,
                text=True,
                bufsize=1,
                pass_fds=[spoken],
                env={**inherited, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths, **environment},
            )
        os.close(spoken)
        self._answers = os.fdopen(answers)
        self._alive: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in list(self._alive):
            os.kill(number, signal.SIGKILL)
        self._process.communicate(timeout=60)
        self._answers.close()

    def start(self, *arguments: object) -> int:
        """Fork and `run(*arguments)`, all of them texts there; returns the number of the process."""
        number = int(self._ask("run", *arguments))
        self._alive.add(number)
        return number

    def end(self, number: int, how: signal.Signals | None = signal.SIGKILL) -> int:
        """Send a signal, if any, and wait for the end: the signal that ended it, or exit status * 256."""
        if how is not None:
            os.kill(number, how)
        status = int(self._ask("wait", number))
        self._alive.discard(number)
        return status

    def said(self) -> str:
        """The end of what the programs have written so far."""
        return self._log.read_text(errors="replace")[-4_000:]

    def _ask(self, *line: object) -> str:
        assert self._process.stdin is not None
        with self._answering:
            self._process.stdin.write("\t".join(map(str, line)) + "\n")
            answer = self._answers.readline()
        assert answer, self.said()
        return answer


class ForkedService:
    """A service that can be killed: `run(port)` of the code serves on that port of this machine."""

    def __init__(self, forks: Forks) -> None:
        self._forks = forks
        self._number: int | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self, path: str = "/livez", seconds: float = 120) -> None:
        """Start it, and wait until `path` is answered with 200."""
        self._number = self._forks.start(self.port)
        deadline = time.monotonic() + seconds
        with httpx2.Client(base_url=self.address, timeout=20) as client:
            last: Any = None
            while True:
                try:
                    last = client.get(path)
                    if last.status_code == 200:
                        return
                except httpx2.TransportError as error:
                    last = error
                assert time.monotonic() < deadline, (last, self._forks.said())
                time.sleep(0.02)

    def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal and wait for the end: the signal that ended it, or its exit status * 256."""
        assert self._number is not None
        status = self._forks.end(self._number, how)
        self._number = None
        return status
