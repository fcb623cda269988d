"""What an administrator sets holds at once: for analyses, audits, labels and signatures of others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service import analysis as analysis_module
from service.analysis import Analyser, AnalysisOptions
from service.articles import ArticleInput
from service.errors import InvalidInput, NotFound
from service.labels.document import LabelDocument
from service.labels.opening import LabelOffice
from service.labels.request import LabelRequest
from service.policy import RATES, PolicyDesk
from service.runtime import Runtime
from service.settings import load_settings

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    made = Runtime(load_settings(home=tmp_path / "home", countries="hu, kz", target_fpr=0.02))
    yield made
    made.close()


def certificate(name: str, *, authority: bool = True, ends: datetime = NOW + timedelta(days=9_000)) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(named, named, key.public_key(), 7, ends - timedelta(days=9_999), ends)
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_the_environment_holds_until_something_is_changed(runtime: Runtime) -> None:
    policy = runtime.policy
    assert (policy.current().target_fpr, policy.current().countries) == (0.02, ("HU", "KZ"))
    changed = policy.update({"target_fpr": 0.001, "countries": ["UZ", "AZ"]})
    assert (changed.target_fpr, changed.countries, changed.changed) == (
        0.001,
        ("AZ", "UZ"),
        {"target_fpr", "countries"},
    )
    # Another process over the same database sees it.
    assert PolicyDesk(runtime.settings, runtime.store).current() == changed
    back = policy.update({"target_fpr": None})
    assert (back.target_fpr, back.countries, back.changed) == (0.02, ("AZ", "UZ"), {"countries"})
    assert policy.update({"countries": []}).countries == ()


def test_nothing_that_was_not_measured_or_has_no_rules_is_taken(runtime: Runtime) -> None:
    for rate in (0.0, 0.02, 0.5, 1.0, -0.01):
        assert rate not in RATES
        with pytest.raises(InvalidInput, match=r"0\.001, 0\.01, 0\.05"):
            runtime.policy.update({"target_fpr": rate})
    with pytest.raises(InvalidInput, match="AZ, HU"):
        runtime.policy.update({"countries": ["KZ", "XX"]})
    assert runtime.policy.current().version == 0


def test_the_next_analysis_goes_by_the_new_rate(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    class Detector:
        model_version = "none"

    def assess(_detector: Any, _reader: Any, _submission: Any, _language: str, rate: float) -> None:
        asked.append(rate)

    monkeypatch.setattr(analysis_module, "assess_origin", assess)
    runtime.__dict__["detector"] = Detector()
    analyser = Analyser(runtime)

    def analyse(rate: float | None = None) -> None:
        source = ArticleInput(text="The library opened again.")
        analyser.analyse(source, AnalysisOptions(checks=("origin",), target_fpr=rate))

    analyse()
    runtime.policy.update({"target_fpr": 0.05})
    analyse()
    analyse(0.001)
    assert asked == [0.02, 0.05, 0.001]


def test_labels_are_weighed_against_the_countries_that_are_set(runtime: Runtime) -> None:
    def countries(**fields: Any) -> set[str]:
        label = runtime.labels.issue(
            LabelRequest(text="The library opened again.", declared="none", **fields)
        )
        document = LabelDocument.model_validate(label.document)
        return {item.jurisdiction for item in document.obligations}

    assert countries() == {"HU", "KZ"}
    runtime.policy.update({"countries": ["UZ"]})
    assert countries() == {"UZ"}
    assert countries(jurisdictions=["TR"]) == {"TR"}
    assert countries(jurisdictions=[]) == set()


def test_a_signer_is_trusted_from_the_addition_of_its_authority_to_its_removal(
    runtime: Runtime, tmp_path: Path
) -> None:
    text = "The library of the neighbouring town opened again."
    other = Runtime(load_settings(home=tmp_path / "other", issuer_name="Neighbour"))
    label = other.labels.issue(LabelRequest(text=text, declared="none", human_review="reviewed"))
    kept = other.store.labels.manifest(label.id)
    authority = other.label_office.authority.anchor()
    other.close()
    assert kept is not None

    def standing() -> str:
        read = runtime.label_office.reader.read_text(text, manifest=kept.manifest)
        (signal,) = (item for item in read.signals if item.type == "c2pa")
        return str(signal.standing)

    assert standing() == "untrusted"
    (added,) = runtime.policy.trust("Our neighbours:\n" + authority)
    assert standing() == "trusted"
    runtime.policy.distrust(added.fingerprint)
    assert standing() == "untrusted"
    with pytest.raises(NotFound):
        runtime.policy.distrust(added.fingerprint)


def test_certificates_of_the_file_and_added_ones_are_listed(runtime: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "anchors.pem"
    file.write_text(certificate("From the file"))
    settings = load_settings(home=runtime.settings.home, c2pa_anchors=file)
    desk = PolicyDesk(settings, runtime.store)
    desk.trust(certificate("First") + certificate("Second"))
    listed = desk.anchors()
    assert listed[0].anchor.subject == "CN=From the file"
    assert {item.anchor.subject for item in listed[1:]} == {"CN=First", "CN=Second"}
    assert [item.added_at is None for item in listed] == [True, False, False]
    assert LabelOffice(settings, desk.added_anchors).reader is not None


def test_what_is_no_certificate_of_an_authority_is_refused_with_the_reason(runtime: Runtime) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for pem, reason in (
        ("", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate"),
        (certificate("Good") + key.decode(), "private key"),
        (certificate("Old", ends=NOW - timedelta(days=3_000)), "CN=Old ended on"),
        (certificate("Leaf", authority=False), "CN=Leaf is not an authority"),
        (certificate("x") * 51, "more than 50"),
        ("x" * 600_000, "half a megabyte"),
    ):
        with pytest.raises(InvalidInput, match=reason):
            runtime.policy.trust(pem)
    assert runtime.policy.anchors() == []
