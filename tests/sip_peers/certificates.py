"""Certificates for one run of the tests: an authority, and one for this machine that it has signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificates:
    """Files, PEM."""

    authority: Path
    certificate: Path
    key: Path

    @classmethod
    def made_in(cls, folder: Path) -> Certificates:
        """Make new ones."""
        signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _begun("IVR tests", signer.public_key())
        root = root.issuer_name(_name("IVR tests")).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        names = [x509.DNSName("localhost"), *(x509.IPAddress(ip_address(host)) for host in ("127.0.0.1", "::1"))]
        leaf = _begun("127.0.0.1", key.public_key()).issuer_name(_name("IVR tests"))
        leaf = leaf.add_extension(x509.SubjectAlternativeName(names), False)
        made = cls(folder / "authority.pem", folder / "certificate.pem", folder / "key.pem")
        made.authority.write_bytes(root.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM))
        made.certificate.write_bytes(leaf.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM))
        made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begun(subject: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
