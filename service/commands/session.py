"""What every command that computes begins with: settings from the environment, a runtime, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from service.commands.progress import wants_progress

if TYPE_CHECKING:
    from service.runtime import Runtime


@contextmanager
def open_runtime(progress: bool | None = None) -> Iterator[Runtime]:
    """A runtime over the settings in the environment, closed (and its index saved) at the end."""
    from service.logs import configure_logging
    from service.runtime import Runtime
    from service.settings import load_settings

    settings = load_settings()
    # A tool's standard error is for its user: only what needs attention.
    configure_logging("warning")
    runtime = Runtime(settings, progress=wants_progress(progress))
    try:
        yield runtime
    finally:
        runtime.close()
