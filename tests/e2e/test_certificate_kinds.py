# SPDX-License-Identifier: MIT
"""Certificates of every kind work on either side, and one that cannot is named by its kind. What makes a certificate wrong is in
test_certificates.py."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness.certificates import Credentials
from harness.kinds import KINDS, Kind, Openssl, kind_named
from harness.programs import INTEROP, OURS, OWN, PEER_EXACT, REFERENCE, REFERENCE_PROGRAM, Pair
from harness.tunnel import Tunnel

PAIRS = [OWN, *(pair for pair in INTEROP if pair.fast)]


@pytest.fixture(scope="session")
def openssl(tmp_path_factory: pytest.TempPathFactory) -> Openssl:
    return Openssl(tmp_path_factory.mktemp("openssl"))


@pytest.fixture(scope="session")
def credentials_of(tmp_path_factory: pytest.TempPathFactory, openssl: Openssl) -> Callable[[Kind], Credentials]:
    """Each kind's are made once."""
    directory = tmp_path_factory.mktemp("kinds")
    made: dict[str, Credentials] = {}

    def get(kind: Kind) -> Credentials:
        if kind.name not in made:
            made[kind.name] = kind.write(directory / kind.name, openssl)
        return made[kind.name]

    return get


@pytest.fixture
def mixed(credentials_of, tmp_path: Path) -> Callable[[str, str], Credentials]:
    """A server's certificate of one kind, a client's of another, and trust in both authorities."""

    def write(server: str, client: str) -> Credentials:
        made = Credentials(tmp_path / "mixed")
        made.directory.mkdir()
        authorities = b""
        for role, kind in (("server", server), ("client", client)):
            source = credentials_of(kind_named(kind))
            authorities += source.ca_crt.read_bytes()
            for name in (f"{role}.crt", f"{role}.key"):
                shutil.copy(source.directory / name, made.directory)
        made.ca_crt.write_bytes(authorities)
        return made

    return write


def takes(pair: Pair, server: Kind, client: Kind) -> bool:
    """Whether these programs can be joined by these kinds at all."""
    if pair != OWN and not (server.go and client.go):
        return False
    return not (client.chain and pair.server is REFERENCE_PROGRAM)


@pytest.mark.parametrize(("kind", "programs"), [
    pytest.param(kind, pair, id=f"{kind.name}-{pair.name}") for kind in KINDS for pair in PAIRS if takes(pair, kind, kind)
])
def test_kind_works_on_both_sides(make_tunnel, credentials_of, kind: Kind, programs: Pair):
    make_tunnel(programs, credentials=credentials_of(kind)).start().wait_until_serving()


DIFFERENT = [("rsa-2048-pkcs8", "p-521-sec1-intermediate"), ("p-521-sec1-intermediate", "rsa-2048-pkcs8"),
             ("ed25519", "go-way-rsa"), ("rsa-2048-intermediate", "p-384-sec1")]


@pytest.mark.parametrize(("server", "client", "programs"), [
    pytest.param(server, client, pair, id=f"{server}-{client}-{pair.name}") for server, client in DIFFERENT for pair in PAIRS
    if takes(pair, kind_named(server), kind_named(client))
])
def test_kinds_of_server_and_client_may_differ(make_tunnel, mixed, server: str, client: str, programs: Pair):
    make_tunnel(programs, credentials=mixed(server, client)).start().wait_until_serving()


# Kinds that cannot work


def run_with(qmux, tunnel: Tunnel, role: str, certificate: Path, key: Path):
    """Runs one side with these files. It is expected to fail at once; returns what it says."""
    settings = tunnel.server_settings if role == "server" else tunnel.client_settings
    settings["tls"] |= {f"{role}_cert_file": str(certificate), f"{role}_key_file": str(key)}
    file = tunnel.directory / f"{role}.yaml"
    file.write_text(yaml.safe_dump(settings))
    result = qmux("run", role, "-c", str(file))
    assert result.returncode == 1
    return result.stderr


@pytest.mark.parametrize("role", ["server", "client"])
@pytest.mark.parametrize(("key", "named"), [
    ("dsa", "DSA"), ("secp256k1", "curve"), ("p-224", "ECDSA SECP224R1"), ("rsa-512", "512 bits"),
], ids=lambda text: text)
def test_kind_that_no_peer_takes_is_refused_at_the_start(qmux, make_tunnel, credentials_of, openssl: Openssl, role: str,
                                                         key: str, named: str):
    tunnel = make_tunnel(OWN, credentials=credentials_of(kind_named("own-ecdsa")))
    certificate = tunnel.directory / "odd.crt"
    openssl.certificate(certificate, openssl.key(key, "odd"), role)
    error = run_with(qmux, tunnel, role, certificate, openssl.key(key, "odd"))
    assert re.search(rf"{re.escape(str(certificate))}: .*{named}.*\(expected .*P-256.*\)", error), error


def test_key_of_another_certificate_is_refused_where_a_key_is_bound_to_one_hash(qmux, make_tunnel, credentials_of, openssl):
    tunnel = make_tunnel(OWN, credentials=credentials_of(kind_named("own-ecdsa")))
    certificate = tunnel.directory / "server.crt"
    openssl.certificate(certificate, openssl.key("rsa-pss-sha384", "leaf"), "server")
    error = run_with(qmux, tunnel, "server", certificate, openssl.key("rsa-pss-sha384", "other"))
    assert f"does not belong to the certificate {certificate}" in error


# What programs of another make do not take, by what they say in the handshake; ours is the other one.
NOT_TAKEN = [("rsa-pss", "RSA-PSS", Pair(OURS, PEER_EXACT))]
if REFERENCE:
    NOT_TAKEN += [(kind, name, pair) for kind, name in (("rsa-pss", "RSA-PSS"), ("ed448", "Ed448"))
                  for pair in (Pair(OURS, REFERENCE_PROGRAM), Pair(REFERENCE_PROGRAM, OURS))]


@pytest.mark.parametrize(("kind", "name", "programs"), [
    pytest.param(kind, name, pair, id=f"{kind}-{pair.name}") for kind, name, pair in NOT_TAKEN
])
def test_kind_that_the_peer_does_not_take_is_named(make_tunnel, mixed, kind: str, name: str, programs: Pair):
    if missing := programs.missing():
        pytest.skip(missing)
    we_serve = programs.server is OURS
    taken = "p-256-sec1-printable"
    tunnel = make_tunnel(programs, credentials=mixed(kind, taken) if we_serve else mixed(taken, kind))
    tunnel.start_server()
    tunnel.spawn_client()
    ours, peer = (tunnel.server, "client") if we_serve else (tunnel.client, "server")
    ours.wait_for_log(rf"the {peer} takes no certificate with a key of the kind {name}: it takes RSA, ECDSA P-256")
    assert not tunnel.serves()
