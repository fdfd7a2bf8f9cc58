# SPDX-License-Identifier: MIT
"""The log when a client and a server do not connect: each cause once, the side concerned, and what would be right."""

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness import namespaces
from harness.certificates import EXPIRED, NAMES, NOT_YET_VALID, SERVER_NAME, VALID, Authority, Credentials
from harness.namespaces import Cable
from harness.process import Process
from harness.programs import OURS, OWN, REFERENCE_PROGRAM, Pair
from harness.tunnel import Tunnel

DATE = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
FOREIGN = r'of an unknown authority \(issuer \\"CN=foreign CA\\"\)'
NO_PROGRAM = "connection refused: no program listens on that UDP port"


@pytest.fixture
def own_credentials(authority: Authority, tmp_path: Path) -> Credentials:
    return authority.write(tmp_path / "certs")


def replace(credentials: Credentials, issuer: Authority, role: str, names=NAMES, days=VALID) -> None:
    usage = ExtendedKeyUsageOID.SERVER_AUTH if role == "server" else ExtendedKeyUsageOID.CLIENT_AUTH
    issuer.issue(getattr(credentials, f"{role}_crt"), getattr(credentials, f"{role}_key"), usage=usage, days=days,
                 names=names if role == "server" else ())


def line_of(process: Process, event: str) -> str:
    return process.wait_for_log(rf"(?m)^.*{event}.*$").group(0)


def said(process: Process, event: str, cause: str, remedy: str = "") -> None:
    """The first line about the event has this cause (a pattern), and a remedy with this text in it."""
    line = line_of(process, event)
    assert re.search(rf'cause="{cause}"', line), line
    assert remedy in line.partition("remedy=")[2], line


def start_both(tunnel: Tunnel) -> Tunnel:
    tunnel.start_server()
    tunnel.spawn_client()
    return tunnel


# --- nothing is said before it is so ---


def test_client_says_that_it_connects_and_that_it_is_ready_when_it_is(make_tunnel):
    tunnel = make_tunnel(OWN)
    tunnel.spawn_client()
    assert "timeout_ms=5000" in line_of(tunnel.client, "info connecting server=")
    tunnel.client.wait_for_log("server not reached")
    assert "client ready" not in tunnel.client.log()
    tunnel.start_server()
    line_of(tunnel.client, "client ready client_id=client-1")
    assert re.search(r"server connected.*\n.*client ready", tunnel.client.log())


# --- servers that are not there ---


@contextlib.contextmanager
def nothing(port: int):
    yield


@contextlib.contextmanager
def tcp_service(port: int):
    with socket.create_server(("127.0.0.1", port)):
        yield


@pytest.mark.parametrize("there", [nothing, tcp_service])
def test_closed_port_is_named_as_such_within_two_packets(make_tunnel, there: Callable):
    tunnel = make_tunnel(OWN)
    tunnel.client_settings["quic"]["handshakeidletimeout"] = "1h"
    with there(tunnel.quic_port):
        tunnel.spawn_client()
        said(tunnel.client, "server not reached", NO_PROGRAM, "TCP service")
    tunnel.start_server()
    tunnel.client.wait_for_log("server connected")


def test_silence_is_told_from_a_closed_port(make_tunnel):
    tunnel = make_tunnel(OWN)
    tunnel.client_settings["quic"]["handshakeidletimeout"] = "2s"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", tunnel.quic_port))
        tunnel.spawn_client()
        line = line_of(tunnel.client, "info still connecting")
        assert 'waiting_for="an answer"' in line and f"address=127.0.0.1:{tunnel.quic_port}" in line
        said(tunnel.client, "server not reached", "no answer from the server within 2 s", f"UDP port {tunnel.quic_port}")


def test_name_without_address_is_named_and_no_address_with_it(make_tunnel):
    tunnel = make_tunnel(OWN)
    tunnel.client_settings["server"]["servers"][0]["address"] = "no-such-host.invalid:8443"
    tunnel.spawn_client()
    line = line_of(tunnel.client, "server not reached")
    assert "server=no-such-host.invalid:8443" in line and "server.servers[].address" in line
    assert " address=" not in line and "unspecified" not in tunnel.client.log()


def test_established_connection_outlives_a_closed_port(make_tunnel):
    """Whoever can forge an ICMP message must not be able to end a connection by it."""
    tunnel = make_tunnel(OWN, health_timeout="1h").start()
    tunnel.wait_until_serving()
    tunnel.server.kill()
    tunnel.start_server()
    tunnel.client.wait_for_log("server disconnected")
    assert NO_PROGRAM not in tunnel.client.log()


def _reject(cable: Cable, *route: str) -> None:
    cable.client.ip("route", "add", "203.0.113.0/24", "via", Cable.SERVER)
    with cable.server.entered():
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    cable.server.ip("route", "add", *route, "203.0.113.0/24")


REJECTIONS = [
    pytest.param("203.0.113.1", ("prohibit",), "a firewall rejects the packets", "firewalls", id="firewall"),
    pytest.param("203.0.113.1", ("unreachable",), "the host cannot be reached", "network", id="router"),
    pytest.param("198.51.100.99", None, "the host cannot be reached", "network", id="no-such-neighbour"),
]


@pytest.mark.skipif(namespaces.unavailable() is not None, reason=namespaces.unavailable() or "")
@pytest.mark.parametrize(("host", "route", "cause", "remedy"), REJECTIONS)
def test_what_routers_say_is_heard(make_tunnel, host: str, route, cause: str, remedy: str):
    tunnel = make_tunnel(OWN)
    tunnel.client_settings["server"]["servers"][0]["address"] = f"{host}:8443"
    tunnel.client_settings["quic"]["handshakeidletimeout"] = "1h"
    cable = Cable()
    try:
        if route:
            _reject(cable, *route)
        with cable.client.entered():
            tunnel.spawn_client()
        said(tunnel.client, "server not reached", cause, remedy)
    finally:
        tunnel.client.kill()
        cable.delete()


# --- certificates ---

# role of the certificate, how it is made, what the side that judges it says, and its remedy
CERTIFICATES = [
    pytest.param("server", {"days": EXPIRED}, f"expired on {DATE}", "tls.server_cert_file", id="server-expired"),
    pytest.param("client", {"days": EXPIRED}, f"expired on {DATE}", "tls.client_cert_file", id="client-expired"),
    pytest.param("server", {"days": NOT_YET_VALID}, f"is not valid before {DATE}", "clock", id="server-not-yet-valid"),
    pytest.param("client", {"days": NOT_YET_VALID}, f"is not valid before {DATE}", "clock", id="client-not-yet-valid"),
    pytest.param("server", {"issuer": Authority("foreign CA")}, f"is {FOREIGN}", "tls.ca_cert_file", id="server-of-another-ca"),
    pytest.param("server", {"names": ("a.test", "10.0.0.1")},
                 rf'does not name \\"{SERVER_NAME}\\" in its subjectAltName, but a\.test, 10\.0\.0\.1',
                 "server.servers[].server_name", id="server-of-another-name"),
    pytest.param("server", {"names": ()}, rf'names no host in its subjectAltName, so not \\"{SERVER_NAME}\\"', SERVER_NAME,
                 id="server-without-name"),
]


@pytest.mark.parametrize(("role", "made", "fault", "remedy"), CERTIFICATES)
def test_wrong_certificate_is_named_on_both_sides(make_tunnel, own_credentials, authority, role: str, made: dict, fault: str,
                                                  remedy: str):
    replace(own_credentials, made.get("issuer", authority), role,
            **{key: value for key, value in made.items() if key != "issuer"})
    tunnel = start_both(make_tunnel(OWN, credentials=own_credentials))
    judged = f"the {role}'s certificate {fault}"
    refused = f"{{}} does not accept this {role}'s certificate, which {fault}"
    if role == "server":
        said(tunnel.client, "server not reached", judged, remedy)
        said(tunnel.server, "connection ended before registration", refused.format("the client"),
             f"tls.server_cert_file ({own_credentials.server_crt})")
    else:
        said(tunnel.server, "connection ended before registration", judged, remedy)
        said(tunnel.client, "server not reached", refused.format("the server"),
             f"tls.client_cert_file ({own_credentials.client_crt})")
    for process in (tunnel.client, tunnel.server):
        assert "violated the protocol" not in process.log() and "TLS:" not in process.log()


def test_client_of_another_ca_learns_which_file_the_server_needs(make_tunnel, own_credentials):
    replace(own_credentials, Authority("foreign CA"), "client")
    tunnel = start_both(make_tunnel(OWN, credentials=own_credentials))
    said(tunnel.client, "server not reached", ".+",
         f"the server's auth.ca_cert_file must hold the CA that issued tls.client_cert_file ({own_credentials.client_crt})")
    said(tunnel.server, "connection ended before registration", "the client.+", f"auth.ca_cert_file ({own_credentials.ca_crt})")


# --- the Go programs ---

GO_SERVER = Pair(REFERENCE_PROGRAM, OURS)
GO_CLIENT = Pair(OURS, REFERENCE_PROGRAM)
needs_reference = pytest.mark.skipif(GO_SERVER.missing() is not None, reason=GO_SERVER.missing() or "")


@needs_reference
@pytest.mark.parametrize("days", [EXPIRED, NOT_YET_VALID], ids=["expired", "not-yet-valid"])
def test_go_server_refuses_a_client(make_tunnel, own_credentials, authority, days):
    replace(own_credentials, authority, "client", days=days)
    tunnel = start_both(make_tunnel(GO_SERVER, credentials=own_credentials))
    said(tunnel.client, "server not reached", "the server considers this client's certificate expired or not valid yet",
         f"tls.client_cert_file ({own_credentials.client_crt})")


@needs_reference
def test_go_client_refuses_a_server(make_tunnel, own_credentials):
    replace(own_credentials, Authority("foreign CA"), "server")
    tunnel = start_both(make_tunnel(GO_CLIENT, credentials=own_credentials))
    said(tunnel.server, "connection ended before registration", "the client does not (know|accept).* this server's certificate",
         f"tls.server_cert_file ({own_credentials.server_crt})")


# --- servers of something else ---


def test_server_of_another_protocol_is_told_from_a_broken_one(make_tunnel, credentials):
    pytest.importorskip("aioquic")
    from aioquic.asyncio.server import serve
    from aioquic.quic.configuration import QuicConfiguration

    tunnel = make_tunnel(OWN)
    settings = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
    settings.load_cert_chain(str(credentials.server_crt), str(credentials.server_key))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve("127.0.0.1", tunnel.quic_port, configuration=settings), loop).result(10)
    try:
        tunnel.spawn_client()
        said(tunnel.client, "server not reached", r"the server uses a protocol other than QMux \(ALPN\)",
             "another program answers there")
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


# --- the local service ---


def test_dead_udp_service_is_named_once_and_counted(make_tunnel):
    tunnel = make_tunnel(OWN, protocol="both").start()
    tunnel.wait_until_serving_udp()
    tunnel.udp_service.down()
    with tunnel.visit_udp(timeout=0.2) as visitor:
        for _ in range(5):
            assert not visitor.is_served()
    line = line_of(tunnel.client, "local service unreachable by UDP")
    assert f"service=127.0.0.1:{tunnel.service.port}" in line and NO_PROGRAM in line
    report = tunnel.client.wait_for_log(r"dropped or refused.* udp_service_unreachable=(\d+)")
    assert int(report.group(1)) >= 1
    assert tunnel.client.log().count("local service unreachable by UDP") == 1
    tunnel.udp_service.up()
    tunnel.wait_until_serving_udp()
