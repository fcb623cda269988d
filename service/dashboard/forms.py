"""Forms as browsers send them: fields without surprises, and errors beside the field they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from service.dashboard.i18n import marked

MAX_FIELDS: Final = 200
MAX_FILES: Final = 1


@dataclass(frozen=True, slots=True)
class Form:
    """The text fields of a form (the last value of each), all values of repeated ones, and its files."""

    values: dict[str, str]
    lists: dict[str, list[str]]
    files: dict[str, bytes]
    names: dict[str, str]

    def text(self, name: str) -> str:
        """A field without the spaces around it; empty where it is missing."""
        return self.values.get(name, "").strip()

    def ticked(self, name: str) -> bool:
        """Was this box ticked?"""
        return name in self.values


async def read_form(request: Request, max_bytes: int, *, max_fields: int = MAX_FIELDS) -> Form:
    """Read a form; line ends, which browsers send as CR LF, become LF as in the texts that people see.

    A file that was not chosen is not among the files.
    """
    values: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    names: dict[str, str] = {}
    async with request.form(max_files=MAX_FILES, max_fields=max_fields, max_part_size=max_bytes) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                content = await value.read()
                if value.filename or content:
                    files[name], names[name] = content, value.filename or ""
                continue
            text = value.replace("\r\n", "\n")
            values[name] = text
            lists.setdefault(name, []).append(text)
    return Form(values, lists, files, names)


REQUIRED: Final = marked("This field is needed.")


def faults(error: ValidationError) -> Mapping[str, str]:
    """What is wrong, by the name of the field: a message of the validation, in English."""
    found: dict[str, str] = {}
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        name = str(item["loc"][0]) if item["loc"] else ""
        found.setdefault(name, _told(item))
    return found


def _told(item: Mapping[str, Any]) -> str:
    return str(item["msg"]).removeprefix("Value error, ")
