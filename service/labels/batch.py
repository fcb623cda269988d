"""An archive labelled in one go: from JSON Lines, with a dry run and a report for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any, Final, TextIO

from pydantic import Field

from service.labels.issuing import LabelDesk
from service.labels.request import LabelRequest
from service.store.labels import StoredLabel

COLUMNS: Final = (
    "id",
    "outcome",
    "state",
    "involvement",
    "human_review",
    "basis",
    "status",
    "review_reasons",
    "label_id",
    "url",
    "page",
    "detail",
)


class ArchiveLine(LabelRequest):
    """A line of an archive: a label request under the caller's own `id`."""

    id: Any = Field(None)


def label_archive(desk: LabelDesk, lines: Sequence[ArchiveLine], *, dry_run: bool) -> list[dict[str, Any]]:
    """One row for each line. `outcome` is issued, draft, disputed or unchanged; a dry run stores nothing
    and says what would be.

    What has a label in force that says the same about the same text is left alone: a run that was broken off
    can simply be started again.
    """
    rows = []
    for line in lines:
        request = LabelRequest.model_validate(line.model_dump(exclude={"id"}))
        draft = desk.prepare(request)
        found = draft.proposal
        current = desk.store.labels.in_force(draft.subject_key)
        unchanged = current is not None and found.status == "active" and _same(current, draft)
        label: StoredLabel | None = current if unchanged else None
        if not unchanged and not dry_run:
            label = desk.store_draft(draft)
        outcome = "unchanged" if unchanged else "issued" if found.status == "active" else found.status
        rows.append(
            {
                "outcome": outcome,
                "state": found.state,
                "involvement": found.involvement,
                "human_review": found.human_review,
                "basis": found.basis,
                "status": found.status,
                "review_reasons": list(found.review_reasons),
                "label_id": label.id if label else None,
                "url": request.url,
                "page": desk.page_url(label.id) if label and label.jws else None,
            }
        )
    return rows


def _same(current: StoredLabel, draft: Any) -> bool:
    found, subject = draft.proposal, draft.subject
    says = (found.state, found.human_review, found.basis)
    return (
        says == (current.state, current.human_review, current.basis)
        and current.hash_text == subject.hash_text_v1
        and (subject.hash_text_v1 is not None or current.hash_exact == subject.hash_exact)
    )


class CsvReport:
    """The rows as CSV, for people; a cell can hold no formula."""

    def __init__(self, out: TextIO) -> None:
        self._writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        self._writer.writeheader()

    def add(self, row: dict[str, Any]) -> None:
        """One line, as `tamga label` prints it."""
        error = row.get("error")
        values = {**row, "outcome": "error", "detail": error["detail"]} if error else dict(row)
        self._writer.writerow({name: _cell(values.get(name)) for name in COLUMNS})


def _cell(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    # Spreadsheets run what begins like this.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
