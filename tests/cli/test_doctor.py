"""`tamga doctor` finds what was broken on purpose, says what to do, and leaves everything as it was."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from service.doctor import Finding, examine
from service.settings import load_settings
from service.store import open_store
from service.store.migration import downgrade, upgrade

Look = Callable[[], dict[str, list[Finding]]]


@pytest.fixture
def home(tmp_path: Path, samples: None) -> Path:
    return tmp_path / "home"


@pytest.fixture
def look(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Findings by check. The models lie elsewhere: to hash them takes a second each time."""
    monkeypatch.setenv("TAMGA_HOME", str(home))
    monkeypatch.setenv("TAMGA_MODELS", str(tmp_path / "models"))

    def found() -> dict[str, list[Finding]]:
        findings: dict[str, list[Finding]] = {}
        for finding in examine():
            assert (finding.advice is None) == (finding.status == "ok"), finding
            findings.setdefault(finding.check, []).append(finding)
        return findings

    return found


def only(findings: list[Finding], status: str) -> Finding:
    (found,) = [finding for finding in findings if finding.status == status]
    return found


def content_of(folder: Path) -> dict[str, str]:
    """Hash by path, without what SQLite keeps beside a database that is open."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def make_key(tamga: Any) -> None:
    assert tamga("keys", "list").code == 0
    assert tamga("keys", "anchor").code == 0


def test_a_sound_home_is_healthy_and_stays_as_it_was(tamga: Any, home: Path) -> None:
    make_key(tamga)
    before = content_of(home)
    done = tamga("doctor")
    assert done.code == 0, done.out
    assert "FAIL" not in done.out
    assert content_of(home) == before
    told = json.loads(tamga("doctor", "--json").out)
    assert told["healthy"] is True
    checks = {finding["check"] for finding in told["findings"]}
    assert checks == {
        "settings",
        "folders",
        "disk",
        "models",
        "keys",
        "certificates",
        "database",
        "migrations",
        "audit log",
        "label history",
        "clock",
        "access",
        "index",
    }
    assert len(done.out.splitlines()) == len(told["findings"])
    index = [finding["detail"] for finding in told["findings"] if finding["check"] == "index"]
    assert any(detail.startswith("records: ") and "hashes as written" in detail for detail in index)


def test_a_home_that_does_not_exist_is_healthy_and_not_made(
    tamga: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAMGA_HOME", str(tmp_path / "new" / "home"))
    done = tamga("doctor")
    assert done.code == 0, done.out
    assert not (tmp_path / "new").exists()


def test_wrong_settings_are_named_each(tamga: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMGA_PORT", "http")
    monkeypatch.setenv("TAMGA_PROT", "8000")
    done = tamga("doctor")
    assert done.code == 1
    assert "TAMGA_PORT" in done.out
    assert "TAMGA_PROT: there is no such setting" in done.out


def test_a_flipped_byte_in_a_snapshot_is_found(home: Path, look: Look) -> None:
    vectors = max((home / "index" / "records").rglob("vectors.faiss"))
    content = bytearray(vectors.read_bytes())
    content[len(content) // 2] ^= 1
    vectors.write_bytes(content)
    found = only(look()["index"], "failed")
    assert "vectors.faiss is damaged" in found.detail
    assert "rebuild" in str(found.advice)


def test_a_snapshot_of_another_database_is_found(home: Path, look: Look, tmp_path: Path) -> None:
    (home / "tamga.db").unlink()
    open_store(load_settings(home=home).database).close()
    assert "another or a newer database" in only(look()["index"], "failed").detail


def test_a_changed_entry_of_the_audit_log_is_found(home: Path, look: Look, tamga: Any) -> None:
    assert tamga("key", "create", "--name", "first", "--role", "admin").code == 0
    with sqlite3.connect(home / "tamga.db") as connection:
        connection.execute("DROP TRIGGER audit_log_no_UPDATE")
        connection.execute("UPDATE audit_log SET actor = 'somebody else' WHERE number = 1")
    found = only(look()["audit log"], "failed")
    assert "entry 1" in found.detail


def test_entries_of_the_future_show_a_clock_that_went_back(home: Path, look: Look, tamga: Any) -> None:
    assert tamga("key", "create", "--name", "first", "--role", "admin").code == 0
    with sqlite3.connect(home / "tamga.db") as connection:
        connection.execute("DROP TRIGGER audit_log_no_UPDATE")
        connection.execute("UPDATE audit_log SET at = '2999-01-01 00:00:00.000000'")
    assert "future" in only(look()["clock"], "failed").detail


def test_a_damaged_database_file_is_found(home: Path, look: Look) -> None:
    with sqlite3.connect(home / "tamga.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    content = bytearray((home / "tamga.db").read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 3 * 4096] = b"\xff" * 3 * 4096
    (home / "tamga.db").write_bytes(content)
    failures = [finding for finding in look()["database"] if finding.status == "failed"]
    assert failures


def test_keys_that_others_can_read_are_found(tamga: Any, home: Path, look: Look) -> None:
    make_key(tamga)
    key = next((home / "keys").glob("*.key.json"))
    key.chmod(0o644)
    assert only(look()["folders"], "failed").advice == f"chmod go-rwx {key}"


def test_a_damaged_signing_key_is_found(tamga: Any, home: Path, look: Look) -> None:
    make_key(tamga)
    next((home / "keys").glob("*.key.json")).write_bytes(b"{}")
    assert "is not a signing key" in only(look()["keys"], "failed").detail


@pytest.mark.parametrize(
    ("days", "status", "told"),
    [(-1, "failed", "ended on"), (10, "warning", "good until"), (90, "ok", "good until")],
)
def test_the_end_of_a_certificate_is_seen_coming(
    home: Path, look: Look, days: int, status: str, told: str
) -> None:
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .sign(key, None)
    )
    folder = home / "keys" / "c2pa"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "authority.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    found = look()["certificates"]
    assert told in only(found, status).detail


def test_a_damaged_model_file_is_found(
    home: Path, look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAMGA_MODELS", str(tmp_path / "models"))
    folder = tmp_path / "models" / "a-model-v1"
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"as prepared")
    files = {"weights": hashlib.sha256(b"as prepared").hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"files": files, "source_sha256": "0"}))
    sound = look()["models"]
    assert only(sound, "ok").detail.startswith("a-model-v1: 1 files")
    assert [finding.advice for finding in sound if finding.status == "warning"] == [
        "tamga models prepare"
    ] * 2
    (folder / "weights").write_bytes(b"as damaged")
    assert "weights is missing or damaged" in only(look()["models"], "failed").detail


@pytest.fixture
def stored(look: Look, database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of either kind with today's tables."""
    open_store(database_url).close()
    monkeypatch.setenv("TAMGA_DATABASE_URL", database_url)
    return database_url


def test_tables_of_other_versions_are_told_and_not_upgraded(stored: str, look: Look) -> None:
    assert only(look()["migrations"], "ok")
    store = open_store(stored)
    with store.database.writing() as connection:
        downgrade(connection, "0005")
    assert "revision 0005" in only(look()["migrations"], "warning").detail
    with store.database.writing() as connection:
        upgrade(connection)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    assert "does not know" in only(look()["migrations"], "failed").detail


def test_a_database_that_does_not_answer_is_told_without_its_password(
    look: Look, monkeypatch: pytest.MonkeyPatch, tamga: Any
) -> None:
    monkeypatch.setenv("TAMGA_DATABASE_URL", "postgresql+psycopg://tamga:hunter2@127.0.0.1:1/tamga")
    done = tamga("doctor")
    assert done.code == 1
    assert "FAIL  database:" in done.out
    assert "hunter2" not in done.out + done.err


def test_an_open_address_without_keys_is_told(
    look: Look, monkeypatch: pytest.MonkeyPatch, tamga: Any
) -> None:
    monkeypatch.setenv("TAMGA_HOST", "0.0.0.0")
    assert "tamga key create" in str(only(look()["access"], "failed").advice)
    assert tamga("key", "create", "--name", "first", "--role", "admin").code == 0
    assert only(look()["access"], "ok")


def test_a_folder_that_cannot_be_written_and_a_full_disk_are_told(
    home: Path, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.access
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != home and real(path, mode))
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10**8}))
    found = look()
    assert "cannot be written" in only(found["folders"], "failed").detail
    assert {finding.status for finding in found["disk"]} == {"failed"}


def test_parts_that_are_wanted_and_missing_are_told(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMGA_TRACE_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setattr("service.doctor.installation._installed", lambda module: False)
    assert only(look()["parts"], "failed").advice == "pip install 'tamga-newsroom[otel]'"
