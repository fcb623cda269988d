"""X.509 certificates for C2PA: the newsroom's own authority, and a certificate for each signing key.

Readers elsewhere show a manifest of ours as soundly signed by somebody unknown until they trust this
authority: `tamga keys anchor` prints it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from service.errors import ConfigurationError
from service.labels.keys import SigningKey, locked, write_private

CLAIM_SIGNING: Final = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
_AUTHORITY_YEARS: Final = 20
_LEAF_YEARS: Final = 2
_YEAR: Final = timedelta(days=365)


class Authority:
    """The newsroom's certificate authority, in a folder beside the keys. Made on first use."""

    def __init__(self, folder: Path, organisation: str) -> None:
        self.folder = folder
        self.organisation = organisation

    def anchor(self) -> str:
        """The authority's certificate (PEM): what others have to trust."""
        return _pem(self._load()[1])

    def chain(self, key: SigningKey) -> str:
        """The certificate of an active signing key, with the authority's after it (PEM)."""
        authority_key, authority = self._load()
        file = self.folder / f"{key.kid}.pem"
        if not file.exists():
            # Labels issued together ask for it together.
            with locked(self.folder):
                if not file.exists():
                    write_private(file, _pem(self._issue(key, authority_key, authority)).encode())
        return file.read_text(encoding="ascii") + _pem(authority)

    def _load(self) -> tuple[Ed25519PrivateKey, x509.Certificate]:
        key_file, certificate_file = self.folder / "authority.key", self.folder / "authority.pem"
        try:
            if not certificate_file.exists():
                with locked(self.folder):
                    if not certificate_file.exists():
                        key = Ed25519PrivateKey.generate()
                        write_private(key_file, _private_pem(key))
                        write_private(certificate_file, _pem(self._self_signed(key)).encode())
            loaded = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
            certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"the certificate authority cannot be used: {error}") from error
        if not isinstance(loaded, Ed25519PrivateKey):
            raise ConfigurationError("the key of the certificate authority is not an Ed25519 key")
        return loaded, certificate

    def _name(self, common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organisation[:64]),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    def _self_signed(self, key: Ed25519PrivateKey) -> x509.Certificate:
        name = self._name("Tamga label authority")
        builder = _builder(name, name, key.public_key(), key.public_key(), _AUTHORITY_YEARS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return builder.add_extension(_usage(certificates=True), critical=True).sign(key, None)

    def _issue(
        self, key: SigningKey, authority_key: Ed25519PrivateKey, authority: x509.Certificate
    ) -> x509.Certificate:
        public = private_key(key).public_key()
        subject = self._name(f"Tamga labels {key.kid[:16]}")
        builder = _builder(
            subject, authority.subject, public, authority_key.public_key(), _LEAF_YEARS
        ).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        # c2pa-rs asks for one of the purposes it has long known; claim signing is the one of C2PA 2.x.
        purposes = x509.ExtendedKeyUsage([CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, critical=False)
        return builder.add_extension(_usage(certificates=False), critical=True).sign(authority_key, None)


def private_key(key: SigningKey) -> Ed25519PrivateKey:
    """The private part of an active key, for libraries that know no JWK."""
    loaded = key.jwk.private_key
    if not isinstance(loaded, Ed25519PrivateKey):
        raise ConfigurationError(f"the key {key.kid} has no private part")
    return loaded


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: Ed25519PublicKey,
    issuer_public: Ed25519PublicKey,
    years: int,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        # Clocks differ: a certificate is good from an hour ago.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + years * _YEAR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
