# SPDX-License-Identifier: MIT
"""What was sent before a reset arrives before it: as often as without the tunnel, then ECONNRESET, never a clean end."""

import os
import queue
import socket
from collections.abc import Callable, Iterator

import pytest

from harness.link import Link
from harness.programs import Pair
from harness.reset_cases import (KIB, Outcome, answer_over_unread, answer_then_abort, ask, pausing, take,
                                 wait_until_acknowledged)
from harness.service import Behaviour, abort
from harness.tunnel import Tunnel

pytestmark = pytest.mark.pairs("own")

# Each loses its answer more often than not in a tunnel that lets a reset overtake.
VISITS = 8
SLOW_VISITS = 2
DELAYS = [0.0, 0.025, 0.075]
SMALL_BUFFER = 16 * KIB
slowly = pausing(0.005)


@pytest.fixture(scope="module")
def far_tunnels(pair, credentials, tmp_path_factory) -> Iterator[Callable[[float], Tunnel]]:
    """One tunnel for each delay between server and client."""
    made: dict[float, tuple[Tunnel, Link]] = {}

    def with_delay(delay: float) -> Tunnel:
        if delay not in made:
            tunnel = Tunnel(pair, credentials, tmp_path_factory.mktemp("far"))
            link = Link((tunnel.host, tunnel.quic_port), delay=delay)
            tunnel.client_settings["server"]["servers"][0]["address"] = tunnel.address(link.port)
            made[delay] = tunnel, link
            tunnel.start().wait_until_serving()
        return made[delay][0]

    yield with_delay
    for tunnel, link in made.values():
        tunnel.stop()
        link.close()


def connect(host: str, port: int, receive_buffer: int | None = None) -> socket.socket:
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(60)
    sock.connect((host, port))
    return sock


def outcomes(tunnel: Tunnel, port: int, request: bytes, count: int, slow: bool) -> list[Outcome]:
    found = []
    for _ in range(count):
        with connect(tunnel.host, port, SMALL_BUFFER if slow else None) as visitor:
            found.append(ask(visitor, request, slowly) if slow else ask(visitor, request))
    return found


def check_against_a_direct_path(tunnel: Tunnel, behaviour: Behaviour, request: bytes, answer: bytes, slow: bool) -> None:
    tunnel.service.behaviour = behaviour
    count = SLOW_VISITS if slow else VISITS
    wanted = [Outcome(answer, "reset")] * count
    assert outcomes(tunnel, tunnel.service.port, request, count, slow) == wanted, "without the tunnel"
    assert outcomes(tunnel, tunnel.traffic_port, request, count, slow) == wanted


@pytest.mark.parametrize("slow", [False, True], ids=["quick", "slow"])
@pytest.mark.parametrize("delay", DELAYS)
def test_answer_of_a_service_that_closes_over_an_unread_request(far_tunnels, delay: float, slow: bool):
    answer = os.urandom(KIB)
    check_against_a_direct_path(far_tunnels(delay), answer_over_unread(answer), bytes(64 * KIB), answer, slow)


@pytest.mark.parametrize("slow", [False, True], ids=["quick", "slow"])
@pytest.mark.parametrize("delay", DELAYS)
def test_answer_that_was_acknowledged_before_the_service_resets(far_tunnels, delay: float, slow: bool):
    answer = os.urandom(256 * KIB)
    check_against_a_direct_path(far_tunnels(delay), answer_then_abort(answer), b"?", answer, slow)


@pytest.mark.parametrize("slow", [False, True], ids=["quick", "slow"])
@pytest.mark.parametrize("delay", DELAYS)
def test_request_of_a_visitor_who_resets(far_tunnels, delay: float, slow: bool):
    tunnel = far_tunnels(delay)
    request = os.urandom(256 * KIB)
    seen: queue.Queue[Outcome] = queue.Queue()
    tunnel.service.behaviour = lambda sock: seen.put(take(sock, slowly) if slow else take(sock))
    for port in (tunnel.service.port, tunnel.traffic_port):
        for _ in range(SLOW_VISITS if slow else VISITS):
            visitor = connect(tunnel.host, port)
            visitor.sendall(request)
            wait_until_acknowledged(visitor)
            abort(visitor)
            assert seen.get(timeout=30) == Outcome(request, "reset"), f"port {port}"


def ends_of(pair: Pair) -> set[str]:
    """How a reset may end beside a program that knows none: docs/PROTOCOL.md, section 5."""
    return {"reset"} if pair.resets else {"reset", "end"}


@pytest.mark.pairs("all")
@pytest.mark.only("delivers_before_reset_of_service")
def test_answer_before_a_reset_arrives_beside_go_programs(tunnel: Tunnel):
    answer = os.urandom(256 * KIB)
    tunnel.service.behaviour = answer_then_abort(answer)
    for outcome in outcomes(tunnel, tunnel.traffic_port, b"?", VISITS, slow=False):
        assert outcome.received == answer
        assert outcome.end in ends_of(tunnel.pair)


@pytest.mark.pairs("all")
@pytest.mark.only("delivers_before_reset_of_visitor")
def test_request_before_a_reset_arrives_beside_go_programs(tunnel: Tunnel):
    request = os.urandom(256 * KIB)
    seen: queue.Queue[Outcome] = queue.Queue()
    tunnel.service.behaviour = lambda sock: seen.put(take(sock))
    for _ in range(VISITS):
        visitor = connect(tunnel.host, tunnel.traffic_port)
        visitor.sendall(request)
        wait_until_acknowledged(visitor)
        abort(visitor)
        outcome = seen.get(timeout=30)
        assert outcome.received == request
        assert outcome.end in ends_of(tunnel.pair)


def test_slow_visitor_gets_answer_and_end_of_a_service_that_resets_afterwards(far_tunnels):
    """It closes after its answer; what the visitor sends then meets RST."""
    tunnel = far_tunnels(0.025)
    answer = os.urandom(256 * KIB)

    def behave(sock: socket.socket) -> None:
        sock.recv(1)
        sock.sendall(answer)

    tunnel.service.behaviour = behave
    with connect(tunnel.host, tunnel.traffic_port, SMALL_BUFFER) as visitor:
        visitor.sendall(b"?")
        head = visitor.recv(1)
        visitor.sendall(b"more")
        # Longer than a visitor that has been given everything may linger.
        outcome = take(visitor, pausing(0.1))
        assert head + outcome.received == answer
