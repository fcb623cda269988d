"""Logging: one line per event on standard error. No text of an article is ever logged."""

from __future__ import annotations

import logging
import sys
from typing import Final

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure_logging(level: str) -> None:
    """Send everything from `level` up to standard error, once."""
    logging.basicConfig(level=level.upper(), format=FORMAT, stream=sys.stderr, force=True)
    # One line per request of the service is enough; these would add their own.
    for chatty in ("httpx", "urllib3", "filelock", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
