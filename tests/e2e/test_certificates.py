# SPDX-License-Identifier: MIT
"""Certificates that must not be believed, on either side, and the alert that the peer gets."""

import re
from pathlib import Path

import pytest
import yaml
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness.certificates import (
    EXPIRED, EXPIRES_SOON, NAMES, NOT_YET_VALID, SERVER_NAME, VALID, Authority, Credentials,
)
from harness.programs import OURS, OWN, PEER_EXACT, Pair
from harness.tunnel import Tunnel

# CRYPTO_ERROR with a TLS alert about a certificate (RFC 9001 section 4.8, RFC 8446 section 6.2): bad, unsupported, revoked,
# expired, unknown, unknown CA, required.
ALERT_CODES = {0x100 + alert for alert in (42, 43, 44, 45, 46, 48, 116)}

CLOSED = r"Connection close received \(code 0x([0-9A-Fa-f]+)"

CLIENT_FAULTS = ["foreign", "expired", "wrong-usage"]
SERVER_FAULTS = [*CLIENT_FAULTS, "wrong-name", "common-name-alone"]
# A program of ours does not start with a certificate of its own that its usage rules out (test_start.py).
SEEN_BY_PEER_ALONE = "wrong-usage"


def spoil(credentials: Credentials, authority: Authority, role: str, fault: str) -> None:
    """Replaces one side's certificate by one that is wrong in one respect."""
    issuer = Authority("foreign CA") if fault == "foreign" else authority
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    right, wrong = usages if role == "server" else reversed(usages)
    issuer.issue(
        getattr(credentials, f"{role}_crt"),
        getattr(credentials, f"{role}_key"),
        usage=wrong if fault == "wrong-usage" else right,
        names=() if role == "client" or fault == "common-name-alone" else ("other.test",) if fault == "wrong-name" else NAMES,
        days=EXPIRED if fault == "expired" else VALID,
        common_name=SERVER_NAME if fault == "common-name-alone" else "test leaf",
    )


@pytest.fixture
def own_credentials(authority: Authority, tmp_path: Path) -> Credentials:
    return authority.write(tmp_path / "certs")


def start_both(tunnel: Tunnel) -> None:
    tunnel.start_server()
    tunnel.client = tunnel.spawn("client", tunnel.client_settings)


def assert_never_joined(tunnel: Tunnel) -> None:
    assert not tunnel.serves()
    assert tunnel.alive()


@pytest.mark.parametrize("fault", [fault for fault in CLIENT_FAULTS if fault != SEEN_BY_PEER_ALONE])
def test_client_with_a_wrong_certificate_is_kept_out(make_tunnel, own_credentials, authority, fault: str):
    spoil(own_credentials, authority, "client", fault)
    tunnel = make_tunnel(OWN, credentials=own_credentials)
    start_both(tunnel)
    tunnel.client.wait_for_log(r"(?i)certificate|alert|refused|0x1[0-9a-f]{2}\b")
    assert_never_joined(tunnel)


@pytest.mark.parametrize("fault", [fault for fault in SERVER_FAULTS if fault != SEEN_BY_PEER_ALONE])
def test_server_with_a_wrong_certificate_is_not_believed(make_tunnel, own_credentials, authority, fault: str):
    spoil(own_credentials, authority, "server", fault)
    tunnel = make_tunnel(OWN, credentials=own_credentials)
    start_both(tunnel)
    tunnel.client.wait_for_log(r"(?i)certificate|alert|refused|0x1[0-9a-f]{2}\b")
    assert_never_joined(tunnel)


def test_server_named_by_its_common_name_alone_is_told_so(make_tunnel, own_credentials, authority):
    spoil(own_credentials, authority, "server", "common-name-alone")
    tunnel = make_tunnel(OWN, credentials=own_credentials)
    start_both(tunnel)
    tunnel.client.wait_for_log(r"server's certificate names no host in its subjectAltName")


def assert_told(log: str) -> None:
    code = int(re.search(CLOSED, log).group(1), 16)
    assert code in ALERT_CODES, hex(code)


@pytest.mark.parametrize("fault", CLIENT_FAULTS)
def test_foreign_stack_is_told_why_its_client_certificate_is_refused(make_tunnel, own_credentials, authority, fault):
    pytest.importorskip("aioquic")
    spoil(own_credentials, authority, "client", fault)
    tunnel = make_tunnel(Pair(OURS, PEER_EXACT), credentials=own_credentials)
    start_both(tunnel)
    assert_told(tunnel.client.wait_for_log(CLOSED).group(0))
    assert_never_joined(tunnel)


@pytest.mark.parametrize("fault", SERVER_FAULTS)
def test_foreign_stack_is_told_why_its_server_certificate_is_refused(make_tunnel, own_credentials, authority, fault):
    pytest.importorskip("aioquic")
    spoil(own_credentials, authority, "server", fault)
    tunnel = make_tunnel(Pair(PEER_EXACT, OURS), credentials=own_credentials)
    start_both(tunnel)
    assert_told(tunnel.server.wait_for_log(CLOSED).group(0))
    assert_never_joined(tunnel)


@pytest.mark.parametrize("role", ["server", "client"])
@pytest.mark.parametrize(("days", "event"), [
    (EXPIRED, "certificate expired"), (NOT_YET_VALID, "certificate not valid yet"), (EXPIRES_SOON, "certificate expires soon"),
], ids=["expired", "not-yet-valid", "expires-soon"])
def test_own_certificate_with_troubling_dates_is_told_once(make_tunnel, own_credentials, authority, role, days, event):
    usage = ExtendedKeyUsageOID.SERVER_AUTH if role == "server" else ExtendedKeyUsageOID.CLIENT_AUTH
    file = getattr(own_credentials, f"{role}_crt")
    begin, end = authority.issue(file, getattr(own_credentials, f"{role}_key"), usage=usage, names=NAMES, days=days)
    tunnel = make_tunnel(OWN, credentials=own_credentials)
    program = tunnel.spawn(role, tunnel.server_settings if role == "server" else tunnel.client_settings)
    try:
        program.wait_for_log(OURS.server_ready if role == "server" else r"connecting server=")
        date = begin if days == NOT_YET_VALID else end
        reported = re.findall(rf"{event} file=(\S+) date=(\S+)", program.log())
        assert reported == [(str(file), f"{date:%Y-%m-%dT%H:%M:%SZ}")], program.log()
    finally:
        program.kill()


@pytest.mark.parametrize("role", ["server", "client"])
@pytest.mark.parametrize(("days", "event"), [
    (EXPIRED, "certificate expired"), (NOT_YET_VALID, "certificate not valid yet"), (EXPIRES_SOON, "certificate expires soon"),
], ids=["expired", "not-yet-valid", "expires-soon"])
def test_check_warns_of_troubling_dates_as_run_does(qmux, make_tunnel, own_credentials, authority, role, days, event):
    usage = ExtendedKeyUsageOID.SERVER_AUTH if role == "server" else ExtendedKeyUsageOID.CLIENT_AUTH
    file = getattr(own_credentials, f"{role}_crt")
    begin, end = authority.issue(file, getattr(own_credentials, f"{role}_key"), usage=usage, names=NAMES, days=days)
    tunnel = make_tunnel(OWN, credentials=own_credentials)
    config = tunnel.directory / "checked.yaml"
    config.write_text(yaml.safe_dump(tunnel.server_settings if role == "server" else tunnel.client_settings))
    result = qmux("config", "check", role, "-c", str(config))
    date = begin if days == NOT_YET_VALID else end
    assert result.stderr == f"warning: {file}: {event}, {date:%Y-%m-%dT%H:%M:%SZ}\n"
    assert (result.returncode, result.stdout) == (0, f"{config}: ok\n")


def test_own_certificate_with_good_dates_is_not_talked_about(make_tunnel, own_credentials):
    tunnel = make_tunnel(OWN, credentials=own_credentials).start()
    assert "certificate expire" not in tunnel.server.log() + tunnel.client.log()


def test_certificates_from_elsewhere_work(make_tunnel, own_credentials):
    make_tunnel(OWN, credentials=own_credentials).start().wait_until_serving()
