"""`tamga doctor`: is everything as it should be?"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated, Final

import typer

_SHOWN: Final = {"ok": "ok  ", "warning": "WARN", "failed": "FAIL"}


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object instead of lines to read.")
    ] = False,
) -> None:
    """Look at settings, folders, database, logs, indexes, models and keys, and change nothing. Exit status 1
    if something does not work; each finding says what to do.
    """
    from service.doctor import examine
    from service.logs import configure_logging, without_secrets

    configure_logging("error")
    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            line = f"{_SHOWN[finding.status]}  {finding.check}: {finding.detail}"
            if finding.advice is not None:
                line += f" -> {finding.advice}"
            sys.stdout.write(without_secrets(" ".join(line.split("\n"))) + "\n")
    healthy = all(finding.status != "failed" for finding in findings)
    if as_json:
        told = {"healthy": healthy, "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(without_secrets(json.dumps(told, ensure_ascii=False, indent=1)) + "\n")
    raise typer.Exit(0 if healthy else 1)
