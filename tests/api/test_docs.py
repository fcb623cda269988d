"""docs/api.md names every route, every command and every error there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.models import CommandInfo

from service import records, store  # noqa: F401 - their errors count too
from service.api.openapi import schema
from service.cli import app
from service.errors import TamgaError

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def errors(base: type[TamgaError]) -> list[type[TamgaError]]:
    return [base, *(found for below in base.__subclasses__() for found in errors(below))]


@pytest.mark.parametrize("error", errors(TamgaError), ids=lambda error: error.__name__)
def test_every_error_type_is_documented_with_its_status(error: type[TamgaError]) -> None:
    assert re.search(rf"^\| `{error.slug}` \| ({error.status}|–) \|", DOCUMENT, re.MULTILINE)


@pytest.mark.parametrize("path", sorted(schema()["paths"]))
def test_every_route_is_documented(path: str) -> None:
    assert re.sub(r"\{\w+\}", "{}", path) in re.sub(r"\{\w+\}", "{}", DOCUMENT)


def command_name(command: CommandInfo) -> str:
    assert command.callback is not None
    return command.name or command.callback.__name__


def test_every_command_is_documented() -> None:
    names = [command_name(command) for command in app.registered_commands]
    for group in app.registered_groups:
        assert group.typer_instance is not None
        names += [
            f"{group.name} {command_name(command)}" for command in group.typer_instance.registered_commands
        ]
    assert len(names) >= 11
    for name in names:
        assert f"tamga {name}" in DOCUMENT
