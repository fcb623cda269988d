"""Audits: many items at once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from service.analysis_models import CheckName
from service.api.audits import Audit, AuditPage
from service.client.calls import Calls, path
from service.client.errors import TamgaClientError

Kind = Literal["archive", "chat_answers"]
ALL_CHECKS: Sequence[CheckName] = ("origin", "claims")


class AuditCalls(Calls):
    """Whole archives, and answers of chat assistants."""

    def start_audit(
        self,
        file: Path | str,
        *,
        kind: Kind = "archive",
        checks: Sequence[CheckName] = ALL_CHECKS,
        target_fpr: float | None = None,
    ) -> Audit:
        """Have a file (JSON Lines, CSV, Parquet) analysed item by item, while requests go first: a `Path`
        here, which is sent, or a text that names a file in the service's `TAMGA_AUDIT_FOLDER`.
        """
        form: dict[str, Any] = {"kind": kind, "checks": list(checks)}
        if target_fpr is not None:
            form["target_fpr"] = str(target_fpr)
        # A part without a file name makes the form one of several parts, whatever is in it.
        part = (None, file) if isinstance(file, str) else (file.name, file.read_bytes())
        files = {"path" if isinstance(file, str) else "file": part}
        answer = self._transport.send("POST", path("audits"), creates=True, data=form, files=files)
        return Audit.model_validate_json(answer.content)

    def get_audit(self, audit_id: str) -> Audit:
        """An audit and how far it has come."""
        return self._get(path("audits", audit_id), Audit)

    def list_audits(self) -> Iterator[Audit]:
        """All audits, the newest first, fetched page by page."""
        return self._pages(path("audits"), AuditPage, lambda page: (page.items, page.next))

    def watch_audit(
        self, audit_id: str, *, every: float = 2.0, timeout: float | None = None
    ) -> Iterator[Audit]:
        """The audit now and then, until it has ended. Raises TamgaClientError after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            audit = self.get_audit(audit_id)
            yield audit
            if audit.state in ("done", "failed", "cancelled"):
                return
            if deadline is not None and time.monotonic() >= deadline:
                raise TamgaClientError(f"audit {audit_id} has not ended within {timeout:g} seconds")
            time.sleep(every)

    def cancel_audit(self, audit_id: str) -> Audit:
        """End an audit where it is; its results so far stay."""
        return Audit.model_validate_json(self._send("POST", path("audits", audit_id, "cancel")))

    def audit_results(self, audit_id: str) -> Iterator[dict[str, Any]]:
        """The results so far, in the order of the items, read as they come."""
        with self._transport.stream(path("audits", audit_id, "results"), {"format": "jsonl"}) as answer:
            for line in answer.iter_lines():
                yield json.loads(line)

    def save_audit_results(
        self, audit_id: str, target: Path, *, format: Literal["jsonl", "csv", "parquet"] = "parquet"
    ) -> None:
        """Write the results so far into a file; nothing is there before all of them are."""
        draft = target.with_name(f".{target.name}.part")
        try:
            with (
                self._transport.stream(path("audits", audit_id, "results"), {"format": format}) as answer,
                draft.open("wb") as file,
            ):
                for part in answer.iter_bytes():
                    file.write(part)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def audit_report(self, audit_id: str, *, format: Literal["html", "csv"] = "html") -> str:
        """The report: one HTML page that asks for nothing else, or its figures as CSV."""
        address = path("audits", audit_id, "report")
        return self._send("GET", address, params={"format": format}).decode("utf-8")
