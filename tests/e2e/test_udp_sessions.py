# SPDX-License-Identifier: MIT
"""A visitor's session by UDP: where it begins and ends, what it survives, and what the configuration makes of it."""

import contextlib
import copy
import os
import socket
import time

import pytest

from harness.link import Link
from harness.programs import OWN
from harness.service import Service, read_exactly
from harness.tunnel import Tunnel
from harness.udp import UdpService, UdpVisitor
from harness.waiting import wait_until

HEALTH_TIMEOUT = 3
MARGIN = 12
PATIENCE = 0.3


def answered_again(visitor: UdpVisitor, deadline: float = HEALTH_TIMEOUT + MARGIN) -> None:
    """A visitor who is not answered asks again, as those who use UDP do."""
    visitor.socket.settimeout(PATIENCE)
    wait_until(visitor.is_served, "the visitor is answered", deadline)


def settings_of(tunnel: Tunnel, role: str) -> dict:
    """Those in which `udp` stands."""
    return tunnel.server_settings["listeners"][0] if role == "server" else tunnel.client_settings


@pytest.fixture
def tunnel(make_tunnel, pair) -> Tunnel:
    return make_tunnel(pair, protocol="both", heartbeat="500ms", health_timeout=f"{HEALTH_TIMEOUT}s")


# What a session survives


def test_a_session_survives_nat_rebindings_of_the_client(tunnel: Tunnel):
    link = Link((tunnel.host, tunnel.quic_port))
    try:
        tunnel.client_settings["server"]["servers"][0]["address"] = tunnel.address(link.port)
        tunnel.start()
        with tunnel.visit_udp() as visitor:
            answered_again(visitor)
            for _ in range(4):
                link.rebind()
                answered_again(visitor)
        assert len(tunnel.udp_service.sources()) == 1
    finally:
        link.close()


def test_sizes_go_on_through_a_link_with_loss_and_delay(tunnel: Tunnel):
    """What arrives is whole."""
    link = Link((tunnel.host, tunnel.quic_port), delay=0.005, loss=0.03)
    try:
        tunnel.client_settings["server"]["servers"][0]["address"] = tunnel.address(link.port)
        tunnel.start()
        arrived = 0
        with tunnel.visit_udp(timeout=PATIENCE) as visitor:
            for number in range(60):
                payload = os.urandom(8) + bytes([number]) * (number * 100)
                visitor.send(payload)
                with contextlib.suppress(TimeoutError):
                    while (answer := visitor.receive()) != payload:
                        assert answer[8:] == bytes([answer[8]]) * (answer[8] * 100)
                    arrived += 1
        assert arrived >= 30
    finally:
        link.close()


def test_the_service_may_go_and_come_back(tunnel: Tunnel):
    tunnel.start()
    service = tunnel.udp_service
    with tunnel.visit_udp() as visitor:
        answered_again(visitor)
        service.down()
        visitor.socket.settimeout(PATIENCE)
        for _ in range(3):
            assert not visitor.is_served()
        service.up()
        answered_again(visitor)
    assert len(service.sources()) == 1, "it is the same session"


@pytest.mark.parametrize("dies", ["at once", "in order"])
def test_visitors_of_a_dead_client_go_to_another(make_tunnel, dies: str):
    tunnel = make_tunnel(OWN, protocol="udp", heartbeat="500ms", health_timeout=f"{HEALTH_TIMEOUT}s")
    other_service = Service()
    services = [tunnel.udp_service, UdpService(tunnel.host, other_service.port)]
    for number, service in enumerate(services):
        service.answers = lambda payload, number=number: (b"%d" % number,)
    other = copy.deepcopy(tunnel.client_settings) | {"client_id": "client-2"}
    other["local"]["port"] = other_service.port
    tunnel.start()
    second = tunnel.spawn("client", other, name="client-2")
    try:
        second.wait_for_log(tunnel.pair.client.client_ready)
        with contextlib.ExitStack() as stack:
            visitors = [stack.enter_context(tunnel.visit_udp()) for _ in range(6)]
            answers = [visitor.ask(b"?") for visitor in visitors]
            assert sorted(answers) == [b"0"] * 3 + [b"1"] * 3, "sessions are shared out as connections are"
            if dies == "at once":
                tunnel.client.kill()
            else:
                tunnel.client.stop()
            for visitor in visitors:
                visitor.socket.settimeout(PATIENCE)
                wait_until(lambda visitor=visitor: answer_of(visitor) == b"1", "the other client serves",
                           HEALTH_TIMEOUT + MARGIN)
    finally:
        second.kill()
        services[1].down()
        other_service.down()


def answer_of(visitor: UdpVisitor) -> bytes | None:
    with contextlib.suppress(OSError):
        return visitor.ask(b"?")
    return None


def test_a_session_is_opened_again_when_the_client_comes_back(tunnel: Tunnel):
    tunnel.start()
    with tunnel.visit_udp() as visitor:
        answered_again(visitor)
        tunnel.client.kill()
        tunnel.start_client()
        answered_again(visitor)
    assert len(tunnel.udp_service.sources()) == 2


def test_a_restarted_server_serves_the_same_visitors(tunnel: Tunnel):
    tunnel.start()
    with tunnel.visit_udp() as visitor:
        answered_again(visitor)
        tunnel.server.kill()
        tunnel.start_server()
        answered_again(visitor)


# Where it ends


@pytest.mark.parametrize("impatient", [["server"], ["client"], ["server", "client"]], ids="+".join)
def test_an_idle_session_ends(tunnel: Tunnel, impatient: list[str]):
    """On either side alone or on both: the service then sees the visitor come from elsewhere."""
    idle = 0.3
    for role in impatient:
        settings_of(tunnel, role)["udp"] = {"session_idle_timeout": f"{idle}s"}
    tunnel.start()
    with tunnel.visit_udp() as visitor:
        before = tunnel.client.descriptor_count()
        answered_again(visitor)
        if "client" in impatient:
            wait_until(lambda: tunnel.client.descriptor_count() == before, "the client closes the session's socket")
        else:
            began = time.monotonic()
            wait_until(lambda: time.monotonic() > began + 2 * idle, "time passes")
        answered_again(visitor)
    assert len(tunnel.udp_service.sources()) >= 2


def test_a_session_in_use_does_not_end(tunnel: Tunnel):
    """Neither side's patience is shorter than the pause; what the visitor sends and what it gets both count as use."""
    for role in ("server", "client"):
        settings_of(tunnel, role)["udp"] = {"session_idle_timeout": "1s"}
    tunnel.start()
    with tunnel.visit_udp() as visitor:
        began = time.monotonic()
        while time.monotonic() < began + 2.5:
            assert visitor.ask(b"?") == b"?"
            pause = time.monotonic()
            wait_until(lambda pause=pause: time.monotonic() > pause + 0.1, "time passes")
    assert len(tunnel.udp_service.sources()) == 1


def test_sockets_of_sessions_close_with_the_connection(tunnel: Tunnel):
    tunnel.start()
    before = tunnel.client.descriptor_count()
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            assert stack.enter_context(tunnel.visit_udp()).ask(b"?") == b"?"
    assert tunnel.client.descriptor_count() >= before + 50
    tunnel.server.kill()
    wait_until(lambda: tunnel.client.descriptor_count() <= before, "the sessions' sockets are closed",
               HEALTH_TIMEOUT + MARGIN)


# Addresses


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")


@pytest.mark.parametrize(("bound", "asked"), [
    ("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "127.0.0.2"), ("0.0.0.0", "127.9.9.9"),
    pytest.param("[::]", "::1", marks=needs_ipv6), pytest.param("[::]", "127.0.0.1", marks=needs_ipv6),
    pytest.param("[::]", "127.0.0.2", marks=needs_ipv6),
])
def test_the_answer_comes_from_the_address_that_was_asked(tunnel: Tunnel, bound: str, asked: str):
    tunnel.server_settings["listeners"][0]["traffic_addr"] = f"{bound}:{tunnel.traffic_port}"
    tunnel.start()
    for size in (1, 1400, 40_000):
        payload = os.urandom(size)
        with tunnel.visit_udp(host=asked) as visitor:
            assert visitor.ask(payload) == payload


def test_one_visitor_at_two_addresses_has_two_sessions(tunnel: Tunnel):
    tunnel.server_settings["listeners"][0]["traffic_addr"] = f"0.0.0.0:{tunnel.traffic_port}"
    tunnel.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as visitor:
        visitor.bind(("127.0.0.1", 0))
        visitor.settimeout(10)
        for host in ("127.0.0.1", "127.0.0.2"):
            address = (host, tunnel.traffic_port)
            visitor.sendto(host.encode(), address)
            assert visitor.recvfrom(100) == (host.encode(), address)
    assert len(tunnel.udp_service.sources()) == 2


@needs_ipv6
def test_udp_over_ipv6_alone(make_tunnel):
    tunnel = make_tunnel(OWN, host="::1", protocol="udp").start()
    with tunnel.visit_udp() as visitor:
        for size in (0, 1, 1400, 65_507):
            payload = os.urandom(size)
            assert visitor.ask(payload) == payload


# What is configured


def test_udp_alone_refuses_tcp(make_tunnel):
    tunnel = make_tunnel(OWN, protocol="udp").start()
    with tunnel.visit_udp() as visitor:
        assert visitor.ask(b"?") == b"?"
    with pytest.raises(ConnectionRefusedError):
        tunnel.visit()


def test_tcp_alone_leaves_the_udp_port_closed(make_tunnel):
    tunnel = make_tunnel(OWN, protocol="tcp").start()
    with tunnel.visit() as visitor:
        visitor.sendall(b"?")
        assert read_exactly(visitor, 1) == b"?"
    with tunnel.visit_udp() as visitor:
        visitor.send(b"?")
        with pytest.raises(ConnectionRefusedError):
            visitor.receive()


@pytest.mark.parametrize("role", ["server", "client"])
def test_without_fragmentation_goes_what_fits(tunnel: Tunnel, role: str):
    """It holds for what that side sends."""
    tunnel.server_settings["listeners"][0]["max_udp_payload_size"] = 1452
    tunnel.client_settings["quic"]["max_udp_payload_size"] = 1452
    settings_of(tunnel, role)["udp"] = {"enable_fragmentation": False}
    tunnel.start()
    service = tunnel.udp_service
    large, small = b"l" * 2000, b"s" * 1000
    service.answers = lambda payload: (large, small) if role == "client" else (payload,)
    with tunnel.visit_udp() as visitor:
        visitor.send(large)
        visitor.send(small)
        assert visitor.receive() == small
    # What the other side sends is cut all the same.
    service.answers = lambda _: (large,)
    with tunnel.visit_udp() as visitor:
        visitor.send(small if role == "server" else large)
        if role == "server":
            assert visitor.receive() == large
        else:
            service.wait_for(large)


@pytest.mark.parametrize("role", ["server", "client"])
def test_payloads_over_the_read_buffer_are_dropped(tunnel: Tunnel, role: str):
    settings_of(tunnel, role)["udp"] = {"read_buffer_size": 1000}
    tunnel.start()
    answers = (b"x" * 1001, b"x" * 1000)
    if role == "client":
        tunnel.udp_service.answers = lambda _: answers
    with tunnel.visit_udp() as visitor:
        if role == "server":
            for payload in answers:
                visitor.send(payload)
        else:
            visitor.send(b"?")
        assert visitor.receive() == b"x" * 1000
        visitor.socket.settimeout(PATIENCE)
        with pytest.raises(TimeoutError):
            visitor.receive()
