"""Labels over a real store: issued, replaced, disputed, withdrawn, and verified or refused."""

from __future__ import annotations

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from service.errors import InvalidInput, NotFound
from service.labels.history import first_break
from service.labels.issuing import LabelDesk, LabelStateError, document_of
from service.labels.keys import KeyRing
from service.labels.request import ContentInput, LabelRequest, read_content
from service.labels.signing import TYPE, check_signature
from service.labels.verification import Verification, verify
from service.store import StoreError
from service.store.labels import StoredLabel

TEXT = "Қала кітапханасы жаңа ғимаратқа көшті. Оқырмандарды бейсенбіден бастап қабылдайды."
OTHER = "Мектеп асханасы жазғы демалыстан кейін қайта ашылды."
PAGE = f"""<!doctype html><html lang="kk"><head><meta charset="utf-8"><title>Кітапхана</title></head>
<body><article><h1>Кітапхана көшті</h1><p>{TEXT}</p></article></body></html>"""
URL = "https://news.example/kitaphana"


def request(**fields: Any) -> LabelRequest:
    return LabelRequest(**{"text": TEXT, "url": URL, "language": "kk", "declared": "generated", **fields})


def check(desk: LabelDesk, token: str | None = None, **content: Any) -> Verification:
    supplied = read_content(ContentInput(**content), max_chars=1_000_000) if content else None
    return verify(desk, jws=token, content=supplied)


def issued(desk: LabelDesk, **fields: Any) -> StoredLabel:
    label = desk.issue(request(**fields))
    assert label.status == "active"
    assert label.jws is not None
    return label


def test_a_declared_label_is_signed_and_verifies(desk: LabelDesk) -> None:
    label = issued(desk, human_review="reviewed", jurisdictions=["KZ", "HU"])
    assert (label.state, label.human_review, label.basis) == ("ai_generated", "reviewed", "author_declared")
    found = check(desk, label.jws, text=TEXT)
    assert (found.verdict, found.signature, found.content_match, found.status) == (
        "valid",
        "valid",
        "exact",
        "active",
    )
    assert found.key_status == "active"
    assert {item.jurisdiction for item in document_of(label).obligations} == {"KZ", "HU"}


def test_what_changes_no_word_is_the_same_text(desk: LabelDesk) -> None:
    label = issued(desk)
    respaced = TEXT.replace(". ", ".\n\n\u200b")
    assert check(desk, label.jws, text=respaced).content_match == "text_equal"
    changed = check(desk, label.jws, text=TEXT.replace("жаңа", "ескі"))
    assert (changed.verdict, changed.content_match) == ("not_valid", "modified")


def test_content_alone_finds_its_label(desk: LabelDesk) -> None:
    label = issued(desk)
    assert check(desk, text=TEXT).label_id == label.id
    assert check(desk, text=OTHER).verdict == "no_label"


def test_a_label_replayed_for_another_text_is_refused(desk: LabelDesk) -> None:
    label = issued(desk)
    found = check(desk, label.jws, text=OTHER)
    assert (found.signature, found.verdict, found.content_match) == ("valid", "not_valid", "modified")


def _payload(token: str) -> bytes:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forgeries(desk: LabelDesk, token: str) -> dict[str, str]:
    header, payload, signature = token.split(".")
    kid = desk.ring.active().kid
    stranger = OKPKey.generate_key("Ed25519")
    content = _payload(token)
    told = json.loads(content)
    told["involvement"], told["state"] = "none", "human_written"
    public = desk.ring.active().public_jwk["x"]
    swapped = {"alg": "Ed25519", "typ": TYPE, "kid": kid, "jwk": stranger.as_dict(private=False)}
    hmac = {"alg": "HS256", "typ": TYPE, "kid": kid}
    none = _segment({"alg": "none", "typ": TYPE, "kid": kid})
    plain = {"alg": "Ed25519", "typ": TYPE, "kid": kid}
    return {
        "changed content": f"{header}.{_segment(told)}.{signature}",
        "alg none": f"{none}.{payload}.",
        "alg none, signature kept": f"{none}.{payload}.{signature}",
        "another key under our kid": jws.serialize_compact(plain, content, stranger, algorithms=["Ed25519"]),
        "another key, named in the header": jws.serialize_compact(
            swapped, content, stranger, algorithms=["Ed25519"]
        ),
        "a key nobody knows": jws.serialize_compact(
            {**plain, "kid": stranger.thumbprint()}, content, stranger, algorithms=["Ed25519"]
        ),
        "our public key as a shared secret": jws.serialize_compact(
            hmac, content, OctKey.import_key(public), algorithms=["HS256"]
        ),
        "another type": jws.serialize_compact(
            {**plain, "typ": "JWT"}, content, desk.ring.active().jwk, algorithms=["Ed25519"]
        ),
        "not a label": jws.serialize_compact(
            plain, b'{"label_id": "urn:uuid:x"}', desk.ring.active().jwk, algorithms=["Ed25519"]
        ),
        "no key named": jws.serialize_compact(
            {"alg": "Ed25519", "typ": TYPE}, content, desk.ring.active().jwk, algorithms=["Ed25519"]
        ),
        "cut off": token[:-10],
        "no token": "not.a.token",
        "nothing": "",
    }


def test_forged_signatures_are_refused(desk: LabelDesk) -> None:
    label = issued(desk)
    assert label.jws is not None
    for name, forged in forgeries(desk, label.jws).items():
        found = check(desk, forged, text=TEXT)
        assert found.verdict == "not_valid", name
        assert found.signature not in ("valid", "none"), name


def test_our_signature_on_a_label_that_was_never_recorded_is_refused(desk: LabelDesk) -> None:
    label = issued(desk)
    told = document_of(label).model_copy(update={"involvement": "none", "state": "human_written"})
    header = {"alg": "Ed25519", "typ": TYPE, "kid": desk.ring.active().kid}
    token = jws.serialize_compact(header, told.canonical(), desk.ring.active().jwk, algorithms=["Ed25519"])
    found = check(desk, token, text=TEXT)
    assert (found.signature, found.status, found.verdict) == ("valid", "unknown", "not_valid")


def test_a_label_outlives_the_rotation_of_its_key(desk: LabelDesk) -> None:
    label = issued(desk)
    before = desk.ring.active().kid
    # By another process, as `tamga keys rotate` does.
    after = KeyRing(desk.ring.folder).rotate().kid
    assert desk.ring.active().kid == after != before
    found = check(desk, label.jws, text=TEXT)
    assert (found.verdict, found.key_status, found.kid) == ("valid", "retired", before)
    assert issued(desk, url=URL + "2").kid == after
    assert [key["kid"] for key in desk.ring.jwks()["keys"]] == [before, after]
    assert all("d" not in key for key in desk.ring.jwks()["keys"])
    retired = json.loads((desk.ring.folder / f"{before}.key.json").read_text())
    assert "d" not in retired["jwk"]


def test_a_signature_made_after_the_retirement_of_its_key_is_refused(desk: LabelDesk) -> None:
    label = issued(desk)
    stolen = desk.ring.active()
    desk.ring.rotate()
    late = document_of(label).model_copy(update={"issued_at": datetime.now(UTC) + timedelta(minutes=1)})
    header = {"alg": "Ed25519", "typ": TYPE, "kid": stolen.kid}
    token = jws.serialize_compact(header, late.canonical(), stolen.jwk, algorithms=["Ed25519"])
    assert check_signature(token, desk.ring).signature == "signed_after_retirement"


def test_a_revoked_key_is_trusted_no_more(desk: LabelDesk) -> None:
    label = issued(desk)
    assert label.kid is not None
    desk.ring.revoke(label.kid, "left on a train")
    found = check(desk, label.jws, text=TEXT)
    assert (found.verdict, found.signature, found.key_status) == ("not_valid", "key_revoked", "revoked")
    assert issued(desk, url=URL + "2").kid != label.kid


def test_key_files_are_for_their_owner_alone(desk: LabelDesk) -> None:
    issued(desk)
    assert desk.ring.folder.stat().st_mode & 0o777 == 0o700
    files = [file for file in desk.ring.folder.rglob("*") if file.is_file() and file.name != ".lock"]
    assert len(files) >= 4
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_processes_that_start_together_agree_on_one_key(desk: LabelDesk) -> None:
    kids: list[str] = []
    threads = [
        threading.Thread(target=lambda: kids.append(KeyRing(desk.ring.folder).active().kid)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kids) == 6
    assert len(set(kids)) == 1


def test_verification_tells_of_a_revocation(desk: LabelDesk) -> None:
    label = issued(desk)
    desk.revoke(label.id, actor="A. Editor", reason="the author was wrong")
    found = check(desk, label.jws, text=TEXT)
    assert (found.verdict, found.signature, found.status) == ("not_valid", "valid", "revoked")
    assert found.status_reason == "the author was wrong"
    again = desk.revoke(label.id, actor="A. Editor", reason="again")
    assert again.status_reason == "the author was wrong"
    with pytest.raises(NotFound):
        desk.revoke("no-such-label", actor="A. Editor", reason="x")


def test_a_new_label_replaces_the_one_before(desk: LabelDesk) -> None:
    first = issued(desk)
    second = issued(desk, declared="assisted", human_review="reviewed")
    assert (second.version, second.supersedes) == (2, first.id)
    found = check(desk, first.jws, text=TEXT)
    assert (found.status, found.superseded_by, found.verdict) == ("superseded", second.id, "not_valid")
    document = document_of(second)
    assert document.prev_event_hash == desk.store.labels.history(first.id)[-2].hash
    # The words are the same: content alone leads to the label in force.
    assert check(desk, text=TEXT).label_id == second.id


def test_a_translation_has_a_label_of_its_own(desk: LabelDesk) -> None:
    original = issued(desk, declared="none")
    translated = issued(
        desk,
        text="The town library has moved to a new building.",
        language="en",
        declared="assisted",
        ai_tasks=["translate"],
        translation_of=original.id,
    )
    assert document_of(translated).subject.translation_of == original.id
    assert desk.require(original.id).status == "active"


def test_a_conflict_is_disputed_and_readers_keep_the_last_label(desk: LabelDesk) -> None:
    first = issued(desk, declared="none")
    disclosure = '<meta name="ai-disclosure" content="ai-generated">'
    marked = f"<html><head>{disclosure}</head><body><article><p>{TEXT}</p></article></body></html>"
    disputed = desk.issue(request(text=None, html=marked, declared="none"))
    assert (disputed.status, disputed.jws) == ("disputed", None)
    assert disputed.review_reasons == ["conflict", "unsigned_metadata"]
    # Same words: the label before stays in force. Nothing of the dispute is public.
    assert desk.require(first.id).status == "active"
    assert check(desk, html=marked).label_id == first.id
    evidence = document_of(disputed).evidence
    ai = [item.id for item in evidence if item.outcome == "ai"]
    decision = {"by": "A. Editor", "involvement": "none", "reason": "a template's leftover", "overrides": ai}
    decided = desk.issue(request(text=None, html=marked, declared="none", decision=decision))
    assert (decided.status, decided.basis, decided.state) == ("active", "reviewer_decision", "human_written")
    assert desk.require(first.id).superseded_by == decided.id


def test_another_text_ends_the_label_even_without_a_new_one(desk: LabelDesk) -> None:
    first = issued(desk)
    draft = desk.issue(request(text=OTHER, declared=None))
    assert (draft.status, draft.jws) == ("draft", None)
    ended = desk.require(first.id)
    assert (ended.status, ended.status_reason, ended.superseded_by) == ("superseded", "content_changed", None)


def test_a_detector_alone_gives_a_draft_and_no_marks(desk: LabelDesk, monkeypatch: Any) -> None:
    analysis = {
        "id": "art_1",
        "origin": {
            "verdict": "likely_ai_unconfirmed",
            "abstain_reason": None,
            "score": 4.2,
            "p_value": 0.001,
            "target_fpr": 0.01,
        },
        "models": {"ai_text": "1"},
    }
    monkeypatch.setattr(desk, "_stored_article", lambda given: (given, analysis))
    label = desk.issue(request(article_id="art_1", declared=None))
    assert (label.state, label.status, label.jws) == ("likely_ai_unconfirmed", "draft", None)
    assert label.review_reasons == ["likely_ai"]
    assert desk.store.labels.manifest(label.id) is None
    with pytest.raises(LabelStateError):
        desk.embed(label.id, PAGE)


def test_a_label_expires(desk: LabelDesk) -> None:
    label = issued(desk, valid_to=datetime.now(UTC) - timedelta(seconds=1))
    assert check(desk, label.jws, text=TEXT).status == "expired"


def test_a_labelled_page_is_verified_to_the_byte(desk: LabelDesk) -> None:
    label = issued(desk, text=None, html=PAGE, human_review="reviewed")
    page = desk.embed(label.id, PAGE)
    found = check(desk, html=page)
    assert (found.verdict, found.content_match, found.label_id) == ("valid", "exact", label.id)
    assert found.c2pa is not None
    assert (found.c2pa.state, found.c2pa.codes) == ("Trusted", [])
    tampered = check(desk, html=page.replace("жаңа", "ескі"))
    assert (tampered.verdict, tampered.content_match) == ("not_valid", "modified")
    # Labelled again, the page has one label, and our own marks are no evidence for it.
    second = desk.issue(request(text=None, html=page, declared="none"))
    assert second.status == "active"
    again = desk.embed(second.id, page)
    assert again.count("data-ai-label=") == page.count("data-ai-label=")
    assert 'content="human-only"' in again
    assert "ai-assisted" not in again


def test_a_label_is_not_written_into_another_article(desk: LabelDesk) -> None:
    label = issued(desk, text=None, html=PAGE)
    with pytest.raises(InvalidInput, match="not the text"):
        desk.embed(label.id, PAGE.replace("жаңа", "ескі"))


def test_the_history_is_a_chain_that_cannot_be_changed(desk: LabelDesk) -> None:
    first = issued(desk)
    issued(desk, declared="assisted")
    desk.revoke(first.id, actor="A. Editor", reason="wrong")
    history = desk.store.labels.history(first.id)
    assert [event.kind for event in history] == ["issued", "manifest_added", "superseded", "revoked"]
    log = list(desk.store.labels.log())
    assert first_break(log, whole_log=True) is None
    assert first_break(history, whole_log=False) is None
    assert len(log) == desk.store.labels.log_size() == 6
    changed = [*log[:2], log[2].model_copy(update={"reason": "another"}), *log[3:]]
    assert first_break(changed, whole_log=True) == "event 3 was changed"
    assert first_break(log[1:], whole_log=True) is not None
    assert first_break([*log[:2], *log[3:]], whole_log=True) is not None
    for statement in ("UPDATE label_events SET reason = 'x'", "DELETE FROM label_events"):
        with pytest.raises(StoreError, match="append-only"), desk.store.database.writing() as connection:
            connection.execute(sa.text(statement))


def test_labels_issued_together_have_one_chain_and_one_in_force(desk: LabelDesk) -> None:
    together = threading.Barrier(6)

    def issue(_: int) -> StoredLabel:
        together.wait(timeout=30)
        return desk.issue(request())

    with ThreadPoolExecutor(6) as threads:
        issued = list(threads.map(issue, range(6)))
    # Each has its manifest too, although all asked for the first certificate of the key at once.
    assert all(desk.store.labels.manifest(label.id) for label in issued)
    assert first_break(desk.store.labels.log(), whole_log=True) is None
    labels = desk.store.labels.list()
    assert sorted(label.version for label in labels) == [1, 2, 3, 4, 5, 6]
    assert [label.status for label in labels].count("active") == 1
