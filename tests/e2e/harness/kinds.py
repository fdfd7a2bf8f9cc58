# SPDX-License-Identifier: MIT
"""Certificates of every kind that a server or a client may bring, from each maker: key, encoding of the key's file and of
names, and what stands between leaf and authority."""

import functools
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat

from .certificates import NAMES, SERVER_NAME, Authority, Credentials
from .programs import BINARY, REFERENCE

EXTENSIONS = {
    "authority": ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"],
    "server": ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth",
               "subjectAltName=" + ",".join(f"{'IP' if name[0].isdigit() or ':' in name else 'DNS'}:{name}" for name in NAMES)],
    "client": ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=clientAuth"],
}

# openssl's arguments that make a key
KEYS = {
    "rsa-512": ["RSA", "rsa_keygen_bits:512"],
    "rsa-1024": ["RSA", "rsa_keygen_bits:1024"],
    "rsa-2048": ["RSA", "rsa_keygen_bits:2048"],
    "rsa-4096": ["RSA", "rsa_keygen_bits:4096"],
    "rsa-pss": ["RSA-PSS", "rsa_keygen_bits:2048"],
    "rsa-pss-sha384": ["RSA-PSS", "rsa_keygen_bits:2048", "rsa_pss_keygen_md:sha384", "rsa_pss_keygen_mgf1_md:sha384",
                       "rsa_pss_keygen_saltlen:48"],
    "p-224": ["EC", "ec_paramgen_curve:P-224"],
    "p-256": ["EC", "ec_paramgen_curve:P-256"],
    "p-384": ["EC", "ec_paramgen_curve:P-384"],
    "p-521": ["EC", "ec_paramgen_curve:P-521"],
    "secp256k1": ["EC", "ec_paramgen_curve:secp256k1"],
    "ed25519": ["ED25519"],
    "ed448": ["ED448"],
}
# openssl's arguments that print a key in another format than PKCS#8
FORMATS = {"pkcs1": ["rsa", "-traditional"], "sec1": ["ec"]}


def each(option: str, values: list[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


class Openssl:
    """Makes keys and certificates in `directory`, by the openssl command."""

    def __init__(self, directory: Path):
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        for mask in ("utf8only", "nombstr"):
            (directory / mask).write_text(f"[req]\nstring_mask = {mask}\nutf8 = yes\ndistinguished_name = dn\n[dn]\n")

    @staticmethod
    def run(*arguments: str | Path) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)

    @functools.cache
    def key(self, kind: str, owner: str, form: str = "pkcs8") -> Path:
        """The owner's key of that kind, always the same."""
        file = self._directory / f"{owner}-{kind}-{form}.key"
        if kind == "dsa":
            parameters = file.with_suffix(".parameters")
            self.run("genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024", "-out", parameters)
            self.run("genpkey", "-paramfile", parameters, "-out", file)
        elif form == "pkcs8":
            algorithm, *options = KEYS[kind]
            self.run("genpkey", "-algorithm", algorithm, *each("-pkeyopt", options), "-out", file)
        else:
            self.run(*FORMATS[form], "-in", self.key(kind, owner), "-out", file)
        return file

    def certificate(self, file: Path, key: Path, use: str, *, issuer: tuple[Path, Path] | None = None,
                    printable: bool = False) -> None:
        """Issued by a certificate with its key, or else by itself."""
        name = f"/C=DE/O=QMux/CN={file.stem}" if printable else f"/C=DE/O=QMüx/CN={file.stem} é"
        signer = ["-CA", issuer[0], "-CAkey", issuer[1]] if issuer else []
        self.run("req", "-x509", "-config", self._directory / ("nombstr" if printable else "utf8only"), "-subj", name,
                 "-key", key, *signer, *each("-addext", EXTENSIONS[use]), "-days", "30", "-out", file)


@dataclass(frozen=True)
class Kind:
    """How to write a full set of credentials."""

    name: str
    write: Callable[[Path, Openssl], Credentials]
    go: bool = True
    """Whether a Go program takes such a key."""
    chain: bool = False
    """Whether leaves come with an intermediate. An Go server takes no such client: it looks at the leaf alone."""


def by_openssl(key: str, *, form: str = "pkcs8", printable: bool = False, authority: str | None = None,
               intermediate: str | None = None, trust: str = "root") -> Callable[[Path, Openssl], Credentials]:
    """Both leaves with one key of that kind. The authority's kind and that of an authority in between are named if they differ,
    and if there is one. `trust`: what peers trust, the "root", the "intermediate" or the "leaves"."""

    def write(directory: Path, openssl: Openssl) -> Credentials:
        directory.mkdir(parents=True)
        made = Credentials(directory)
        shutil.copy(openssl.key(authority or key, "authority"), made.ca_key)
        openssl.certificate(made.ca_crt, made.ca_key, "authority", printable=printable)
        issuer = (made.ca_crt, made.ca_key)
        between = b""
        if intermediate:
            issuer = (directory / "intermediate.crt", openssl.key(intermediate, "intermediate"))
            openssl.certificate(*issuer, "authority", issuer=(made.ca_crt, made.ca_key), printable=printable)
            between = issuer[0].read_bytes()
        pairs = (("server", made.server_crt, made.server_key), ("client", made.client_crt, made.client_key))
        for role, certificate, file in pairs:
            shutil.copy(openssl.key(key, "leaf", form), file)
            openssl.certificate(certificate, file, role, issuer=issuer, printable=printable)
            if trust == "root":
                certificate.write_bytes(certificate.read_bytes() + between)
        if trust == "intermediate":
            made.ca_crt.write_bytes(between)
        if trust == "leaves":
            made.ca_crt.write_bytes(made.server_crt.read_bytes() + made.client_crt.read_bytes())
        return made

    return write


def by_program(program: str | Path, *arguments: str) -> Callable[[Path, Openssl], Credentials]:
    """Those that a program's own `generate certs` makes."""

    def write(directory: Path, _: Openssl) -> Credentials:
        subprocess.run([program, "generate", "certs", "-s", f"{SERVER_NAME},localhost", "-o", str(directory), *arguments],
                       check=True, capture_output=True, timeout=60)
        return Credentials(directory)

    return write


def in_the_go_programs_way(directory: Path, _: Openssl) -> Credentials:
    """An RSA authority of 4096 bits, leaves of 2048, keys as PKCS#1."""
    authority = Authority(make_key=lambda: rsa.generate_private_key(65537, 4096))
    return authority.write(directory, make_key=lambda: rsa.generate_private_key(65537, 2048),
                           key_format=PrivateFormat.TraditionalOpenSSL)


KINDS = [
    Kind("own-ecdsa", by_program(BINARY)),
    Kind("own-rsa", by_program(BINARY, "--key-type", "rsa")),
    Kind("go-way-rsa", in_the_go_programs_way),
    *([Kind("reference-rsa", by_program(REFERENCE))] if REFERENCE else []),
    Kind("rsa-2048-pkcs8", by_openssl("rsa-2048")),
    Kind("rsa-2048-pkcs1-printable", by_openssl("rsa-2048", form="pkcs1", printable=True)),
    Kind("rsa-2048-intermediate", by_openssl("rsa-2048", intermediate="rsa-2048"), chain=True),
    Kind("rsa-1024", by_openssl("rsa-1024", authority="rsa-2048")),
    Kind("rsa-4096", by_openssl("rsa-4096", authority="rsa-2048")),
    Kind("rsa-pss", by_openssl("rsa-pss"), go=False),
    Kind("rsa-pss-sha384", by_openssl("rsa-pss-sha384", authority="rsa-2048"), go=False),
    Kind("p-256-sec1-printable", by_openssl("p-256", form="sec1", printable=True)),
    Kind("p-256-intermediate", by_openssl("p-256", intermediate="p-256"), chain=True),
    Kind("p-256-trusted-intermediate", by_openssl("p-256", intermediate="p-256", trust="intermediate")),
    Kind("p-256-trusted-leaves", by_openssl("p-256", trust="leaves")),
    Kind("p-384-sec1", by_openssl("p-384", form="sec1")),
    Kind("p-521-pkcs8-printable", by_openssl("p-521", printable=True)),
    Kind("p-521-sec1-intermediate", by_openssl("p-521", form="sec1", intermediate="p-521"), chain=True),
    Kind("ed25519", by_openssl("ed25519")),
    Kind("ed25519-below-p-384-below-rsa",
         by_openssl("ed25519", printable=True, authority="rsa-2048", intermediate="p-384"), chain=True),
    Kind("rsa-below-ed25519", by_openssl("rsa-2048", authority="ed25519")),
    Kind("ed448", by_openssl("ed448"), go=False),
]


def kind_named(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.name == name)
