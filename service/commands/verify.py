"""`tamga verify`: is this label, or the label of this item, genuine and still good?"""

from __future__ import annotations

import base64
import sys
from typing import Annotated

import typer

from service.commands.label_input import content_of, first_problem, read_bytes
from service.commands.session import open_runtime


def verify(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A signed label (.jws), text, HTML, picture or PDF.")
    ],
    label: Annotated[
        str | None, typer.Option(help="Signed label (.jws file) to hold the item against.")
    ] = None,
    manifest: Annotated[str | None, typer.Option(help="C2PA manifest (.c2pa file) of the item.")] = None,
) -> None:
    """Check a label or an item; prints the answer as JSON. Exit 0 if it is valid, 1 if not or if there is no
    label.
    """
    from pydantic import ValidationError

    from service.labels.request import ContentInput, read_content
    from service.labels.verification import verify as check

    jws = read_bytes(label).decode("ascii", "replace") if label is not None else None
    content: dict[str, str] = {}
    if file.endswith(".jws"):
        jws = read_bytes(file).decode("ascii", "replace")
    else:
        content = content_of(file)
    if manifest is not None:
        content["manifest"] = base64.b64encode(read_bytes(manifest)).decode("ascii")
    try:
        given = ContentInput.model_validate(content)
    except ValidationError as error:
        raise typer.BadParameter(first_problem(error)) from error
    with open_runtime() as runtime:
        supplied = (
            read_content(given, max_chars=runtime.settings.max_text_chars)
            if content.keys() & {"text", "html", "file"}
            else None
        )
        found = check(runtime.labels, jws=jws, content=supplied)
    sys.stdout.write(found.model_dump_json(indent=2, exclude_none=True) + "\n")
    if found.verdict != "valid":
        raise typer.Exit(1)
