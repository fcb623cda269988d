"""`tamga serve`: the HTTP service."""

from __future__ import annotations

import ipaddress
import logging
from typing import Annotated

import typer

from service.commands.progress import wants_progress
from service.errors import ConfigurationError

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
) -> None:
    """Serve the HTTP API; the reference is at /docs."""
    import uvicorn

    from service.app import create_app
    from service.commands.samples import load_samples_if_empty
    from service.logs import configure_logging
    from service.settings import load_settings

    overrides = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = load_settings(**overrides)
    configure_logging(settings.log_level)
    require_loopback(settings.host)
    app = create_app(
        settings, prepare=load_samples_if_empty if samples else None, progress=wants_progress(None)
    )
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    log.info("home %s; API reference at http://%s:%s/docs", settings.home.resolve(), shown, settings.port)
    # log_config=None: uvicorn's messages go through our own logging.
    uvicorn.run(app, host=settings.host, port=settings.port, log_config=None, server_header=False)


def require_loopback(host: str) -> None:
    """Without keys everyone who reaches the port may do everything, so only this machine may reach it.

    Raises:
        ConfigurationError: the address is not a loopback address.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigurationError(
            f"there are no access keys, so the service binds to loopback only, not to {host!r}; "
            "put a proxy with authentication in front of it"
        )
