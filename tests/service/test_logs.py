"""Lines of the log: one per event, for people or as JSON, without secrets and without what was sent."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from service.logs import ConsoleLines, JsonLines, in_request, without_secrets
from service.store import open_store
from service.store.errors import StoreError
from service.store.models import MetaRow

TOKEN = "tg_0123456789ab_" + "c0ffee" * 8
Emit = Callable[..., str]


@pytest.fixture(params=[ConsoleLines, JsonLines])
def emit(request: pytest.FixtureRequest) -> Iterator[Emit]:
    """Logs one event and gives back what was written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(request.param())
    logger = logging.Logger("service.test")
    logger.addHandler(handler)

    def log(message: str, *arguments: Any, **options: Any) -> str:
        logger.warning(message, *arguments, **options)
        return written.getvalue()

    yield log
    in_request(None)


def test_a_line_holds_message_fields_and_the_request() -> None:
    record = logging.LogRecord("service.test", logging.WARNING, __file__, 1, "%d items", (3,), None)
    record.fields = {"route": "/v1/articles", "status": 201, "caller": None}
    in_request("request-0001")
    try:
        event = json.loads(JsonLines().format(record))
        line = ConsoleLines().format(record)
    finally:
        in_request(None)
    assert event.pop("time").endswith("+00:00")
    assert event == {
        "level": "warning",
        "logger": "service.test",
        "message": "3 items",
        "route": "/v1/articles",
        "status": 201,
        "request_id": "request-0001",
    }
    assert line.endswith(
        "WARNING service.test: 3 items route=/v1/articles status=201 request_id=request-0001"
    )


@pytest.mark.parametrize(
    ("secret", "kept"),
    [
        (TOKEN, "tg_0123456789ab_…"),
        (f"Authorization: Bearer {TOKEN}", "tg_0123456789ab_…"),
        ("authorization: bearer eyJhbGciOiJFZERTQSJ9.e30.c2ln", "bearer …"),
        ("Basic dGFtZ2E6c2VjcmV0", "Basic …"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_…"),
        ("postgresql+psycopg://tamga:hunter2@db.example.org/tamga", "postgresql+psycopg://tamga:…@db"),
    ],
)
def test_secrets_are_cut_out_wherever_they_stand(emit: Emit, secret: str, kept: str) -> None:
    try:
        raise ValueError(f"in an exception: {secret}")
    except ValueError:
        line = emit("with %s", secret, exc_info=True, extra={"fields": {"field": secret}})
    assert kept in line
    for part in ("c0ffee", "eyJhbGci", "dGFtZ2E6", "MfKQ9r8G", "hunter2"):
        assert part not in line


@given(st.text())
def test_what_holds_no_secret_stays_as_it_is(text: str) -> None:
    if not any(sign in text.lower() for sign in ("tg_", "whsec_", "bearer", "basic", "://")):
        assert without_secrets(text) == text


def test_one_event_is_one_line_whatever_it_quotes(emit: Emit) -> None:
    line = emit("path %s", "/a\r\n2026-01-01 CRITICAL forged: line")
    assert len(line.splitlines()) == 1


class Body(BaseModel):
    number: int


def test_exceptions_are_told_without_the_text_they_quote(emit: Emit) -> None:
    text = "Жаңа көпірдің құрылысы аяқталды."
    try:
        try:
            Body.model_validate({"number": text})
        except ValueError as error:
            raise RuntimeError("the answer could not be made") from error
    except RuntimeError:
        line = emit("failed", exc_info=True)
    assert text not in line
    assert "number: int_parsing" in line
    assert "the answer could not be made" in line
    assert "test_exceptions_are_told" in line


def test_errors_of_the_database_hold_no_parameters(emit: Emit, database_url: str) -> None:
    text = "Жаңа көпірдің құрылысы аяқталды."
    store = open_store(database_url)
    try:
        with store.database.writing() as connection:
            for _ in range(2):
                connection.execute(sa.insert(MetaRow).values(name="twice", value=text))
    except StoreError:
        line = emit("failed", exc_info=True)
    finally:
        store.close()
    assert "twice" in line or "UNIQUE" in line
    assert text not in line
