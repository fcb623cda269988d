"""Labels over the store: propose, issue, embed, revoke."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from classifiers.provenance import Provenance, ProvenanceReader
from service.errors import InvalidInput, NotFound, TamgaError
from service.labels.certificates import Authority
from service.labels.document import URN_PREFIX, Issuer, LabelDocument, Subject
from service.labels.drafts import Draft, subject_key
from service.labels.encodings import c2pa, html, linked_data
from service.labels.encodings.marks import marks_of
from service.labels.evidence import from_analysis, from_declaration, from_signals
from service.labels.fingerprint import hash_bytes
from service.labels.keys import KeyRing
from service.labels.model import CONFIRMING
from service.labels.obligations import ObligationFacts, evaluate
from service.labels.precedence import propose
from service.labels.request import Content, ContentInput, LabelRequest, read_content
from service.labels.signing import check_signature, sign
from service.labels.wording import badge, best_locale, sentence
from service.policy import PolicyDesk
from service.reviews.cases import case_of_label, opinions_wanted
from service.store.labels import Also, Predecessor, StoredLabel, StoredManifest
from service.store.review_changes import open_case

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from service.settings import Settings
    from service.store import Store

log = logging.getLogger(__name__)

_SIGN_ATTEMPTS: Final = 3


class LabelStateError(TamgaError):
    """The label is not in a state for that."""

    status = 409
    slug = "label-state"
    title = "The label is not in a state for that"


class LabelDesk:
    """Where labels are made. Safe to use from threads."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        ring: KeyRing,
        authority: Authority,
        reader: ProvenanceReader,
    ) -> None:
        self.settings = settings
        self.store = store
        self.ring = ring
        self.authority = authority
        self.reader = reader

    @property
    def issuer(self) -> Issuer:
        """Who signs."""
        return Issuer(id=self.settings.public_url, name=self.settings.issuer_name)

    def page_url(self, label_id: str) -> str:
        """Address of the reader page."""
        return f"{self.settings.public_url}/l/{label_id}"

    def manifest_url(self, label_id: str) -> str:
        """Address of the C2PA sidecar."""
        return f"{self.settings.public_url}/v1/labels/{label_id}.c2pa"

    def prepare(self, request: LabelRequest) -> Draft:
        """Read, weigh and propose; nothing is stored.

        Raises:
            InvalidInput and its kin: for the content or the decision.
            NotFound: there is no such article.
        """
        now = datetime.now(UTC)
        if request.jurisdictions is None:
            countries = PolicyDesk(self.settings, self.store).current().countries
            request = request.model_copy(update={"jurisdictions": list(countries)})
        analysis: dict[str, Any] | None = None
        as_stored = request.text is None and request.html is None and request.file is None
        if request.article_id is not None:
            request, analysis = self._stored_article(request)
        content = read_content(request, max_chars=self.settings.max_text_chars)
        read = self._read(content, request)
        evidence = from_signals(self._foreign(read), now)
        if request.declared is not None:
            evidence.append(
                from_declaration(request.declared, request.human_review, request.declared_by, now)
            )
        if analysis is not None:
            evidence.extend(from_analysis(analysis, now, besides=evidence if as_stored else None))
        subject = Subject(
            url=request.url,
            article_id=request.article_id,
            title=request.title,
            lang=request.language,
            translation_of=request.translation_of,
            media_type=content.media_type,
            kind=content.kind,
            hash_exact=content.fingerprint.exact,
            hash_text_v1=content.fingerprint.text,
            segments=request.segments,
        )
        return Draft(
            content=content,
            proposal=propose(evidence, request.decision),
            subject=subject,
            subject_key=subject_key(subject),
            request=request,
            analysis_id=analysis["id"] if analysis else None,
        )

    def issue(self, request: LabelRequest) -> StoredLabel:
        """Store a label, and sign it where it may be issued: else it is a draft or disputed, for a reviewer.

        Raises what `prepare` raises.
        """
        return self.store_draft(self.prepare(request))

    def store_draft(self, draft: Draft, also: Also | None = None) -> StoredLabel:
        """Store and sign what was prepared; `also` writes in the same transaction."""
        label_id = str(uuid.uuid4())
        label = self.store.labels.add(
            draft.subject_key,
            lambda predecessor: self._build(draft, label_id, predecessor),
            actor=draft.request.decision.by if draft.request.decision else draft.request.actor,
            also=also or self._open_review,
        )
        if label.status == "active" and label.jws is not None and draft.content is not None:
            try:
                self._add_sidecar(label, draft.content)
            except c2pa.ManifestError:
                # The label is signed and stored; the manifest is one of its forms, and `embed` makes it anew.
                log.exception("label %s has no C2PA manifest", label.id)
        return label

    def embed(self, label_id: str, page: str) -> str:
        """The page with a label in force written into it; keeps a manifest that binds that very page.

        Raises:
            NotFound: there is no such label.
            LabelStateError: it is not in force, or not confirmed.
            InvalidInput: the page is about another text.
        """
        label = self.require(label_id)
        document = document_of(label)
        marks = marks_of(document, label.status_at(datetime.now(UTC)))
        if marks is None or label.jws is None:
            raise LabelStateError("Only a confirmed label in force can be written into a page.")
        content = read_content(ContentInput(html=page), max_chars=self.settings.max_text_chars)
        if content.fingerprint.text != label.hash_text:
            raise InvalidInput(
                "The article of this page is not the text that was labelled.", pointer="#/html"
            )
        locale = best_locale([label.language or ""])
        credit = sentence(label.state, label.human_review, locale)
        labelled = html.embed(
            page,
            marks,
            badge=html.badge_html(
                marks.label_id,
                badge(label.state, label.human_review, locale),
                locale,
                self.page_url(label.id),
            ),
            jsonld=linked_data.article_jsonld(document, marks, credit),
            manifest_url=self.manifest_url(label.id),
            segments=document.subject.segments,
        )
        raw = labelled.encode("utf-8")
        self._add_sidecar(
            label, replace(content, raw=raw, fingerprint=replace_exact(content, raw)), actor="embed"
        )
        return labelled

    def revoke(self, label_id: str, *, actor: str, reason: str, also: Also | None = None) -> StoredLabel:
        """Withdraw a label; `also` writes in the same transaction. Raises NotFound."""
        label = self.store.labels.revoke(label_id, actor=actor, reason=reason, also=also)
        if label is None:
            raise NotFound("No label has this id.")
        return label

    def require(self, label_id: str) -> StoredLabel:
        """The label with this id. Raises NotFound."""
        label = self.store.labels.get(label_id.removeprefix(URN_PREFIX))
        if label is None:
            raise NotFound("No label has this id.")
        return label

    def _open_review(self, connection: Connection, label: StoredLabel) -> None:
        case = case_of_label(
            document_of(label),
            status=label.status,
            subject_key=label.subject_key,
            review_reasons=list(label.review_reasons),
        )
        if case is not None:
            share = self.settings.review_overlap
            open_case(connection, case, opinions_wanted=opinions_wanted(case.subject, share))

    def _stored_article(self, request: LabelRequest) -> tuple[LabelRequest, dict[str, Any] | None]:
        assert request.article_id is not None
        article = self.store.articles.get(request.article_id)
        if article is None:
            raise NotFound("No article is stored under this id.")
        changes: dict[str, Any] = {
            "title": request.title or article.title,
            "url": request.url or article.url,
            "language": request.language or article.language,
        }
        if request.text is None and request.html is None and request.file is None:
            changes["text"] = article.text
        return request.model_copy(update=changes), self.store.articles.analysis(request.article_id)

    def _read(self, content: Content, request: LabelRequest) -> Provenance:
        if content.page is not None:
            assert content.text is not None
            return self.reader.read_page(
                content.page, content.text, headers=request.headers, manifest=content.manifest
            )
        if content.text is not None:
            return self.reader.read_text(content.text, manifest=content.manifest)
        return self.reader.read_file(content.raw, content.media_type, manifest=content.manifest)

    def _foreign(self, read: Provenance) -> list[Any]:
        """The signals that are not our own earlier label speaking: it is no evidence for itself."""
        own_page = any(self._is_ours(label) for label in read.page.label_ids)
        own_manifest = read.c2pa is not None and self._is_ours(str((read.c2pa.label or {}).get("label_id")))
        markup = {"html_meta", "html_attribute", "jsonld", "microdata", "http_header"}
        return [
            signal
            for signal in read.signals
            if not (own_page and signal.type in markup) and not (own_manifest and signal.type == "c2pa")
        ]

    def _is_ours(self, label_id: str) -> bool:
        return self.store.labels.get(label_id.removeprefix(URN_PREFIX)) is not None

    def _build(self, draft: Draft, label_id: str, predecessor: Predecessor) -> StoredLabel:
        now = datetime.now(UTC)
        request, proposal, subject = draft.request, draft.proposal, draft.subject
        replaced = predecessor.current if proposal.status == "active" else None
        decision = request.decision
        facts = ObligationFacts(
            medium=subject.kind,
            involvement=proposal.involvement,
            human_review=proposal.human_review,
            imitates_person_or_unreal_event=request.imitates_person_or_unreal_event,
            public_interest=request.public_interest,
            editorial_responsibility=True if request.editorial_responsibility else None,
        )
        valid_to = _moment(request.valid_to)
        document = LabelDocument(
            label_id=URN_PREFIX + label_id,
            version=predecessor.version,
            supersedes=URN_PREFIX + replaced.id if replaced else None,
            issuer=self.issuer,
            subject=subject,
            involvement=proposal.involvement,
            ai_tasks=request.ai_tasks,
            human_review=proposal.human_review,
            editorial_responsibility=request.editorial_responsibility,
            state=proposal.state,
            basis=proposal.basis,
            decided_by=decision.by if decision else None,
            decision_reason=decision.reason if decision else None,
            evidence=list(proposal.evidence),
            conflict=proposal.conflict,
            ai_system=request.ai_system,
            obligations=evaluate(facts, request.jurisdictions or (), now.date()),
            issued_at=now,
            valid_to=valid_to,
            prev_event_hash=predecessor.last_hash if replaced else None,
        )
        jws = kid = None
        if proposal.status == "active":
            jws, kid = self._sign(document)
        return StoredLabel(
            id=label_id,
            version=predecessor.version,
            subject_key=draft.subject_key,
            status=proposal.status,
            status_reason=decision.reason if decision else None,
            state=proposal.state,
            involvement=proposal.involvement,
            human_review=proposal.human_review,
            basis=proposal.basis,
            review_reasons=list(proposal.review_reasons),
            url=subject.url,
            article_id=subject.article_id,
            language=subject.lang,
            hash_exact=subject.hash_exact,
            hash_text=subject.hash_text_v1,
            supersedes=replaced.id if replaced else None,
            superseded_by=None,
            document=document.as_json(),
            jws=jws,
            kid=kid,
            valid_to=valid_to,
            created_at=now,
            updated_at=now,
        )

    def _sign(self, document: LabelDocument) -> tuple[str, str]:
        for _ in range(_SIGN_ATTEMPTS):
            jws, kid = sign(document, self.ring)
            # A rotation between reading the key and now would leave a signature that nobody accepts.
            if check_signature(jws, self.ring).signature == "valid":
                return jws, kid
        raise LabelStateError("The signing keys keep changing; try again.")

    def _add_sidecar(self, label: StoredLabel, content: Content, *, actor: str = "issue") -> None:
        document = document_of(label)
        marks = marks_of(document, label.status_at(datetime.now(UTC)))
        if marks is None or label.jws is None:
            return
        manifest = c2pa.sidecar(
            content.raw,
            content.media_type,
            document=document,
            jws=label.jws,
            marks=marks,
            ring=self.ring,
            authority=self.authority,
        )
        found = StoredManifest(hash_bytes(content.raw), content.media_type, manifest)
        self.store.labels.add_manifest(label.id, found, actor=actor)


def document_of(label: StoredLabel) -> LabelDocument:
    """The document of a stored label."""
    return LabelDocument.model_validate(label.document)


def is_public(label: StoredLabel) -> bool:
    """Whether readers may see a label: it was issued once. Drafts and disputes are for the newsroom."""
    return label.jws is not None and label.basis in CONFIRMING


def replace_exact(content: Content, raw: bytes) -> Any:
    """The fingerprint of the same words in other bytes."""
    return content.fingerprint.model_copy(update={"exact": hash_bytes(raw)})


def _moment(value: date | datetime | None) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        return datetime.combine(value, time.max, UTC)
    return value if value.tzinfo else value.replace(tzinfo=UTC)
