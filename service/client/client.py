"""One method for each thing that newsroom programs ask of the service."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar, Unpack
from urllib.parse import quote

import httpx2
from pydantic import BaseModel

from index.records import VerifiedRecord
from service.analysis_models import Analysis, CheckName
from service.api.audits import Audit, AuditPage
from service.api.claims import CompareResponse, MatchResponse
from service.api.labels import LabelledPage, LabelPage, LabelView, ProposedLabel
from service.api.models import ModelList, ModelSummary
from service.api.records import RecordPage, RecordWrite, RecordWrites
from service.api.webhooks import CreatedWebhook, Webhook, WebhookPage
from service.client.errors import TamgaClientError
from service.client.fields import ArticleFields, LabelFields, MatchFields, VerifyFields
from service.client.transport import Transport
from service.labels.model import Status
from service.labels.verification import Verification
from service.webhooks.events import EventName

RECORDS_PER_REQUEST: Final = 100
Answer = TypeVar("Answer", bound=BaseModel)
Item = TypeVar("Item")


class Tamga:
    """A service at an address. Use it as a context manager, or `close` it; not from several threads at once.

    Every method may raise `Problem` and `Unreachable`. Whatever creates something carries an Idempotency-Key,
    so that a lost answer costs no second label, record or audit.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        timeout: float = 90.0,
        patience: float = 120.0,
        http: httpx2.Client | None = None,
    ) -> None:
        """`key` is an access key (`tg_…`). `timeout` is for one answer, `patience` for all waiting between
        the tries of one request, both in seconds. `http` replaces the connection, `address` and `timeout`.
        """
        self._http = http or httpx2.Client(base_url=address, timeout=timeout)
        if key is not None:
            self._http.headers["Authorization"] = f"Bearer {key}"
        self._transport = Transport(self._http, patience=patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def check_article(self, **article: Unpack[ArticleFields]) -> Analysis:
        """Analyse an article: `text` or `html`, and what is known about it."""
        return self._post("/v1/articles", article, Analysis, creates=True)

    def get_analysis(self, article_id: str) -> Analysis:
        """The latest stored Analysis of an article."""
        return self._get(f"/v1/articles/{quote(article_id, safe='')}", Analysis)

    def put_records(self, records: Iterable[VerifiedRecord | Mapping[str, Any]]) -> Iterator[RecordWrite]:
        """Add or update records, in parts. What is yielded is committed; nothing is sent before the first
        result is asked for.
        """
        rows = (
            row.model_dump(mode="json") if isinstance(row, VerifiedRecord) else dict(row) for row in records
        )
        while part := list(itertools.islice(rows, RECORDS_PER_REQUEST)):
            yield from self._post("/v1/records", part, RecordWrites, creates=True).results

    def get_record(self, record_id: str) -> VerifiedRecord:
        """One record."""
        return self._get(f"/v1/records/{quote(record_id, safe='')}", VerifiedRecord)

    def list_records(self) -> Iterator[VerifiedRecord]:
        """All records in order of their ids, fetched page by page."""
        return self._pages("/v1/records", RecordPage, lambda page: (page.items, page.next))

    def delete_record(self, record_id: str) -> None:
        """Delete a record."""
        self._transport.send("DELETE", f"/v1/records/{quote(record_id, safe='')}")

    def match_claims(
        self, claims: Sequence[str | Mapping[str, Any]], **options: Unpack[MatchFields]
    ) -> MatchResponse:
        """The best records for up to 100 statements: texts, or `{"text", "language"?, "published_at"?}`."""
        asked = [{"text": claim} if isinstance(claim, str) else dict(claim) for claim in claims]
        return self._post("/v1/claims/match", {"claims": asked, **options}, MatchResponse)

    def compare_claims(self, pairs: Sequence[tuple[str, str]]) -> CompareResponse:
        """Does the evidence support the claim? For up to 100 pairs of claim and evidence."""
        asked = [{"claim": claim, "evidence": evidence} for claim, evidence in pairs]
        return self._post("/v1/claims/compare", {"pairs": asked}, CompareResponse)

    def propose_label(self, **content: Unpack[LabelFields]) -> ProposedLabel:
        """What `issue_label` would come to, and why. Nothing is stored."""
        return self._post("/v1/labels/propose", content, ProposedLabel)

    def issue_label(self, **content: Unpack[LabelFields]) -> LabelView:
        """Label content; `status` of the answer says whether the label is in force or waits for a person."""
        return self._post("/v1/labels", content, LabelView, creates=True)

    def get_label(self, label_id: str) -> LabelView:
        """One label."""
        return self._get(f"/v1/labels/{quote(label_id, safe='')}", LabelView)

    def list_labels(self, status: Status | None = None) -> Iterator[LabelView]:
        """All labels, or those of one status, fetched page by page."""
        return self._pages("/v1/labels", LabelPage, lambda page: (page.items, page.next), status=status)

    def embed_label(self, label_id: str, html: str) -> LabelledPage:
        """The page with the label in it, to be published byte for byte."""
        return self._post(f"/v1/labels/{quote(label_id, safe='')}/embed", {"html": html}, LabelledPage)

    def revoke_label(self, label_id: str, reason: str) -> LabelView:
        """Withdraw a label for good."""
        path = f"/v1/labels/{quote(label_id, safe='')}/revoke"
        return self._post(path, {"reason": reason}, LabelView, creates=True)

    def verify(self, **given: Unpack[VerifyFields]) -> Verification:
        """Check a label (`jws`), content, or both against each other."""
        return self._post("/v1/verify", given, Verification)

    def list_models(self) -> list[ModelSummary]:
        """The models that analyses are made with."""
        return self._get("/v1/models", ModelList).items

    def start_audit(
        self,
        file: Path,
        *,
        kind: Literal["archive", "chat_answers"] = "archive",
        checks: Sequence[CheckName] = ("origin", "claims"),
        target_fpr: float | None = None,
    ) -> Audit:
        """Send a file (JSON Lines, CSV, Parquet) to be analysed item by item, while requests go first."""
        form: dict[str, Any] = {"kind": kind, "checks": list(checks)}
        if target_fpr is not None:
            form["target_fpr"] = str(target_fpr)
        files = {"file": (file.name, file.read_bytes())}
        answer = self._transport.send("POST", "/v1/audits", creates=True, data=form, files=files)
        return Audit.model_validate_json(answer.content)

    def get_audit(self, audit_id: str) -> Audit:
        """An audit and how far it has come."""
        return self._get(f"/v1/audits/{quote(audit_id, safe='')}", Audit)

    def list_audits(self) -> Iterator[Audit]:
        """All audits, the newest first, fetched page by page."""
        return self._pages("/v1/audits", AuditPage, lambda page: (page.items, page.next))

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

    def audit_results(self, audit_id: str) -> Iterator[dict[str, Any]]:
        """The results so far, in the order of the items, read as they come."""
        path = f"/v1/audits/{quote(audit_id, safe='')}/results"
        with self._transport.stream(path, {"format": "jsonl"}) as answer:
            for line in answer.iter_lines():
                yield json.loads(line)

    def audit_report(self, audit_id: str) -> str:
        """The report: one HTML page that asks for nothing else."""
        return self._transport.send("GET", f"/v1/audits/{quote(audit_id, safe='')}/report").text

    def create_webhook(self, url: str, events: Sequence[EventName] | None = None) -> CreatedWebhook:
        """Have events posted to an address. The answer holds the secret, this once."""
        wanted = {"url": url, "events": None if events is None else list(events)}
        return self._post("/v1/webhooks", wanted, CreatedWebhook, creates=True)

    def list_webhooks(self) -> Iterator[Webhook]:
        """All webhooks, fetched page by page."""
        return self._pages("/v1/webhooks", WebhookPage, lambda page: (page.items, page.next))

    def delete_webhook(self, webhook_id: str) -> None:
        """End a webhook."""
        self._transport.send("DELETE", f"/v1/webhooks/{quote(webhook_id, safe='')}")

    def _get(self, path: str, model: type[Answer]) -> Answer:
        return model.model_validate_json(self._transport.send("GET", path).content)

    def _post(self, path: str, body: Any, model: type[Answer], *, creates: bool = False) -> Answer:
        # A POST that creates nothing only reads: it may be sent again.
        answer = self._transport.send("POST", path, creates=creates, reads=not creates, json=body)
        return model.model_validate_json(answer.content)

    def _pages(
        self,
        path: str,
        model: type[Answer],
        turn: Callable[[Answer], tuple[Sequence[Item], str | None]],
        **params: Any,
    ) -> Iterator[Item]:
        after: str | None = None
        while True:
            query = {name: value for name, value in {**params, "after": after}.items() if value is not None}
            answer = self._transport.send("GET", path, params=query)
            items, after = turn(model.model_validate_json(answer.content))
            yield from items
            if after is None:
                return
