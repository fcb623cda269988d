"""`tamga serve`: the HTTP service."""

from __future__ import annotations

import gc
import logging
import math
import sys
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.progress import wants_progress
from service.errors import ConfigurationError

if TYPE_CHECKING:
    from service.auth.keys import Keys
    from service.runtime import Runtime

log = logging.getLogger(__name__)


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to bind (default TAMGA_HOST or 127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port (default TAMGA_PORT or 8000).")
    ] = None,
    samples: Annotated[
        bool, typer.Option("--samples", help="Load the sample records if the index is empty.")
    ] = False,
    first_key: Annotated[
        bool,
        typer.Option("--first-key", help="If no access key exists, make one for an admin and print it."),
    ] = False,
) -> None:
    """Serve the HTTP API; the reference is at /docs. Without access keys only this machine is answered."""
    import uvicorn

    from service.app import STOP_SECONDS, create_app
    from service.auth.keys import Keys
    from service.logs import configure_logging
    from service.runtime import Runtime
    from service.settings import load_settings

    overrides = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = load_settings(**overrides)
    configure_logging(settings.log_level, settings.log_format)
    runtime = Runtime(settings, progress=wants_progress(None))
    try:
        keys = Keys(runtime.store.access_keys)
        if first_key:
            _print_first_key(keys)
        if not keys.closed():
            require_loopback(settings.host)
    except BaseException:
        runtime.close()
        raise
    app = create_app(settings, prepare=partial(_prepare, samples), runtime=runtime)
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    log.info("home %s; API reference at http://%s:%s/docs", settings.home.resolve(), shown, settings.port)
    # log_config=None: uvicorn's messages go through our own logging.
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        # Every request leaves a line of ours, with its id.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.drain_seconds + STOP_SECONDS),
    )

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Before uvicorn closes its doors: /readyz turns red, and what waits is finished or refused in
            # time.
            worker = getattr(app.state, "worker", None)
            if worker is not None:
                worker.drain(settings.drain_seconds)
            super().handle_exit(sig, frame)

    server = Server(config)
    server.run()
    if not server.started:
        raise typer.Exit(3)


def _prepare(samples: bool, runtime: Runtime) -> None:
    """The last thing before the service is ready."""
    if samples:
        from service.commands.samples import load_samples_if_empty

        load_samples_if_empty(runtime)
    # What was loaded stays until the end: searching all of it for garbage would stop an answer now and then.
    gc.collect()
    gc.freeze()


def _print_first_key(keys: Keys) -> None:
    from service.auth.scopes import LOCAL

    issued = keys.create_first("first key", by=LOCAL)
    if issued is not None:
        # Alone on standard output: logs, which others may read, go to standard error.
        sys.stdout.write(issued.token + "\n")
        sys.stdout.flush()


def require_loopback(host: str) -> None:
    """Without keys everyone who reaches the port may do everything, so only this machine may reach it.

    Raises:
        ConfigurationError: the address is not a loopback address.
    """
    from service.auth.loopback import is_loopback

    if not is_loopback(host):
        raise ConfigurationError(
            f"no access key and no account exists, so the service binds to loopback only, not to {host!r}; "
            "make one with `tamga key create` or `tamga account add`, or start with --first-key"
        )
