"""Logging: one line per event on standard error, for people or as JSON. No text of an article and no secret
is ever logged.

Events are logged through the standard library. A field besides the message is handed in as
`extra={"fields": {...}}`; the id of the request that is being answered is added to every line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pydantic import ValidationError

LogFormat = Literal["console", "json"]

_request: ContextVar[str | None] = ContextVar("tamga_request", default=None)

# Access keys, secrets of webhooks, credentials in headers and in addresses: whoever logs one by mistake must
# not be believed. What is kept names the key or the user.
_SECRETS: Final = (
    (re.compile(r"(tg_[0-9a-f]{12})_[0-9a-f]{48}"), r"\1_…"),
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]+"), "whsec_…"),
    (re.compile(r"(?i)\b(bearer|basic)\s+(?!tg_)[A-Za-z0-9._~+/=-]{8,}"), r"\1 …"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@"), r"\1:…@"),
)


# An exception's words fit in this; what is longer quotes something.
_LONGEST_MESSAGE: Final = 300


def configure_logging(level: str, form: LogFormat = "console") -> None:
    """Send everything from `level` up to standard error, once."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else ConsoleLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # One line per request of the service is enough; these would add their own.
    for chatty in ("httpx", "httpx2", "httpcore2", "urllib3", "filelock", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def in_request(request_id: str | None) -> None:
    """From here on, whatever is logged in this context belongs to this request."""
    _request.set(request_id)


def request_id() -> str | None:
    """The id of the request that is being answered."""
    return _request.get()


def without_secrets(line: str) -> str:
    """The line with everything that looks like a secret cut out."""
    for pattern, replacement in _SECRETS:
        line = pattern.sub(replacement, line)
    return line


class ConsoleLines(logging.Formatter):
    """Time, level, logger, message, then fields as name=value; a traceback on the lines after it."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        at = datetime.fromtimestamp(record.created).astimezone().isoformat(" ", "milliseconds")
        # An event is one line: what is quoted in a message cannot make another.
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        parts = [at, record.levelname, f"{record.name}: {message}"]
        parts += [f"{name}={value}" for name, value in _fields(record).items() if value is not None]
        line = " ".join(parts)
        failure = _failure(record)
        return without_secrets(line if failure is None else f"{line}\n{failure}")


class JsonLines(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        event: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        event |= {
            name: without_secrets(value) if isinstance(value, str) else value
            for name, value in _fields(record).items()
            if value is not None
        }
        failure = _failure(record)
        if failure is not None:
            event["exception"] = without_secrets(failure)
        return json.dumps(event, ensure_ascii=False, default=str)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {**getattr(record, "fields", {}), "request_id": request_id(), "trace_id": _trace_id()}


def _trace_id() -> str | None:
    # Only where tracing was set up is the library there to be asked.
    tracing = sys.modules.get("opentelemetry.trace")
    if tracing is None:
        return None
    context = tracing.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def _failure(record: logging.LogRecord) -> str | None:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return None
    blocks: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        stack = "".join(traceback.format_tb(error.__traceback__))
        blocks.append(f"{stack}{type(error).__module__}.{type(error).__qualname__}: {_message(error)}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich led to:\n".join(reversed(blocks))


def _message(error: BaseException) -> str:
    """What an exception says, without the input it may quote."""
    if isinstance(error, ValidationError):
        return ", ".join(f"{'.'.join(map(str, item['loc']))}: {item['type']}" for item in error.errors())
    return str(error)[:_LONGEST_MESSAGE]
