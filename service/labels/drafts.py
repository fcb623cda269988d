"""Labels before they are stored: of content, or again of what a stored label says."""

from __future__ import annotations

import json
from dataclasses import dataclass

from service.labels.document import LabelDocument, Subject
from service.labels.fingerprint import hash_bytes
from service.labels.model import Decision
from service.labels.precedence import Proposal, propose
from service.labels.request import Content, LabelRequest


@dataclass(frozen=True, slots=True)
class Draft:
    """A label before it is stored: content (None where only its hashes are known), proposal, and the document
    without its number.
    """

    content: Content | None
    proposal: Proposal
    subject: Subject
    subject_key: str
    request: LabelRequest
    analysis_id: str | None


def redraft(document: LabelDocument, decision: Decision) -> Draft:
    """The same label with a reviewer's decision, from what is stored of it: its content is not needed again.

    Raises:
        InvalidInput: the decision does not fit the evidence, see `service.labels.precedence.propose`.
    """
    subject = document.subject
    request = LabelRequest(
        article_id=subject.article_id,
        title=subject.title,
        url=subject.url,
        language=subject.lang,
        translation_of=subject.translation_of,
        ai_tasks=document.ai_tasks,
        ai_system=document.ai_system,
        segments=subject.segments,
        editorial_responsibility=document.editorial_responsibility,
        jurisdictions=sorted({item.jurisdiction for item in document.obligations}),
        decision=decision,
        valid_to=document.valid_to,
    )
    proposal = propose(document.evidence, decision)
    return Draft(None, proposal, subject, subject_key(subject), request, None)


def subject_key(subject: Subject) -> str:
    """What makes two labels be about the same thing: the article, else address and language, else content."""
    if subject.article_id is not None:
        identity = ["article", subject.article_id]
    elif subject.url is not None:
        identity = ["url", subject.url, subject.lang or ""]
    else:
        identity = ["content", subject.hash_text_v1 or subject.hash_exact, subject.lang or ""]
    return hash_bytes(json.dumps(identity, ensure_ascii=False).encode())
