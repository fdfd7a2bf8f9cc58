# SPDX-License-Identifier: MIT
"""Certificates made to order: right ones where the program cannot make its own, and wrong ones of every kind."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVER_NAME = "qmux.test"
NAMES = (SERVER_NAME, "localhost", "127.0.0.1", "::1")
DAY = datetime.timedelta(days=1)
# From when to when, in days from now.
VALID = (-10, 90)
EXPIRED = (-10, -1)
NOT_YET_VALID = (1, 90)
EXPIRES_SOON = (-10, 10)


def p256_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


class Credentials:
    """A directory with the six files that `qmux generate certs` writes."""

    def __init__(self, directory: Path):
        self.directory = directory
        for name in ("ca", "server", "client"):
            setattr(self, f"{name}_crt", directory / f"{name}.crt")
            setattr(self, f"{name}_key", directory / f"{name}.key")


class Authority:
    """A certificate authority of our own."""

    def __init__(self, common_name: str = "test CA", make_key=p256_key):
        self._key = make_key()
        self._name = _name(common_name)
        self._certificate = (
            self._builder(self._name, self._key.public_key(), *_dates(VALID))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def write(self, directory: Path, **leaf) -> Credentials:
        """A full set of good certificates. `leaf`: as in issue()."""
        directory.mkdir(parents=True, exist_ok=True)
        credentials = Credentials(directory)
        _write_pair(credentials.ca_crt, credentials.ca_key, self._certificate, self._key)
        self.issue(credentials.server_crt, credentials.server_key, usage=ExtendedKeyUsageOID.SERVER_AUTH, names=NAMES, **leaf)
        self.issue(credentials.client_crt, credentials.client_key, usage=ExtendedKeyUsageOID.CLIENT_AUTH, **leaf)
        return credentials

    def issue(self, certificate: Path, key: Path, *, usage: x509.ObjectIdentifier, names: tuple[str, ...] = (),
              days: tuple[int, int] = VALID, common_name: str = "test leaf", make_key=p256_key,
              key_format: PrivateFormat = PrivateFormat.PKCS8) -> tuple[datetime.datetime, datetime.datetime]:
        """One leaf certificate and its key. Returns from when to when it is valid, in UTC."""
        begin, end = _dates(days)
        leaf_key = make_key()
        builder = self._builder(_name(common_name), leaf_key.public_key(), begin, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        _write_pair(certificate, key, builder.sign(self._key, hashes.SHA256()), leaf_key, key_format)
        return begin, end

    def _builder(self, subject: x509.Name, public_key, begin: datetime.datetime,
                 end: datetime.datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )


def _dates(days: tuple[int, int]) -> tuple[datetime.datetime, datetime.datetime]:
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    return now + days[0] * DAY, now + days[1] * DAY


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )


def _write_pair(certificate_path: Path, key_path: Path, certificate: x509.Certificate, key,
                key_format: PrivateFormat = PrivateFormat.PKCS8) -> None:
    certificate_path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, key_format, NoEncryption()))
    key_path.chmod(0o600)
