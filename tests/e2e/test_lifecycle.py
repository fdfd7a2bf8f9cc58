# SPDX-License-Identifier: MIT
"""Programs that end, die, come late and come back."""

import contextlib
import re
import signal
import socket

import pytest

from harness.programs import OURS
from harness.service import Recorder, echo, read_exactly
from harness.tunnel import Tunnel
from harness.waiting import wait_until

pytestmark = pytest.mark.pairs("all")

HEALTH_TIMEOUT = 3
MARGIN = 12


@pytest.fixture
def tunnel(make_tunnel, pair) -> Tunnel:
    return make_tunnel(pair, health_timeout=f"{HEALTH_TIMEOUT}s")


def open_visit(tunnel: Tunnel) -> socket.socket:
    """A visitor whom the service has answered."""
    visitor = tunnel.visit(timeout=HEALTH_TIMEOUT + MARGIN)
    visitor.sendall(b"hello")
    assert read_exactly(visitor, 5) == b"hello"
    return visitor


def how_it_ends(visitor: socket.socket) -> str:
    try:
        data = visitor.recv(100)
    except ConnectionResetError:
        return "reset"
    return "end" if not data else f"bytes {data!r}"


def echoing_recorder() -> Recorder:
    def behave(sock: socket.socket) -> bytes:
        echo(sock)
        return b""

    return Recorder(behave)


@pytest.mark.only("serves_after_reconnect")
def test_client_finds_its_killed_server_again(tunnel: Tunnel):
    recorder = tunnel.service.behaviour = echoing_recorder()
    tunnel.start()
    visitor = open_visit(tunnel)
    tunnel.server.kill()
    assert how_it_ends(visitor) in ("end", "reset")
    tunnel.start_server()
    tunnel.wait_until_serving(HEALTH_TIMEOUT + MARGIN)
    [(_, how)] = recorder.wait(deadline=HEALTH_TIMEOUT + MARGIN)
    assert how == "reset", "a lost connection must not look like a clean end to the service"


@pytest.mark.pairs("own")
def test_restarted_server_tells_its_clients_that_it_knows_them_no_more(make_tunnel, pair):
    """By stateless resets, whose secret outlives the crash: none waits for a timeout."""
    tunnel = make_tunnel(pair, health_timeout="60s").start()
    tunnel.server.kill()
    tunnel.start_server()
    tunnel.wait_until_serving(MARGIN)


@pytest.mark.pairs("own")
def test_client_of_a_killed_server_notices_its_closed_port_long_before_the_timeout(make_tunnel, pair):
    recorder = echoing_recorder()
    tunnel = make_tunnel(pair, health_timeout="60s")
    tunnel.service.behaviour = recorder
    tunnel.start()
    with open_visit(tunnel):
        tunnel.server.kill()
        line = tunnel.client.wait_for_log("server disconnected .*", 10)[0]
        assert "no program listens on its UDP port" in line and 'remedy="start the server"' in line
        [(_, how)] = recorder.wait(deadline=MARGIN)
        assert how == "reset"
    tunnel.client.wait_for_log("server not reached", MARGIN, count=4)
    tunnel.start_server()
    tunnel.wait_until_serving(4)


@pytest.mark.pairs("own")
def test_visitor_may_come_a_little_before_the_client(tunnel: Tunnel):
    tunnel.start_server()
    with tunnel.visit() as visitor:
        visitor.sendall(b"early")
        tunnel.start_client()
        assert read_exactly(visitor, 5) == b"early"


@pytest.mark.only("replaces_dead_client")
def test_killed_client_comes_back_under_the_same_id(tunnel: Tunnel):
    tunnel.start()
    visitor = open_visit(tunnel)
    tunnel.client.kill()
    tunnel.start_client()
    tunnel.wait_until_serving(HEALTH_TIMEOUT + MARGIN)
    assert how_it_ends(visitor) == "reset"


@pytest.mark.only("shares_one_id")
def test_client_with_the_same_id_is_admitted_beside_the_first(tunnel: Tunnel):
    tunnel.start()
    visitor = open_visit(tunnel)
    second = tunnel.spawn("client", tunnel.client_settings, "second")
    try:
        second.wait_for_log(tunnel.pair.client.client_ready)
        for _ in range(4):
            open_visit(tunnel).close()
        visitor.sendall(b"still")
        assert read_exactly(visitor, 5) == b"still"
    finally:
        second.kill()


def test_stopped_server_ends_visitors_and_exits_with_success(tunnel: Tunnel):
    recorder = tunnel.service.behaviour = echoing_recorder()
    if tunnel.pair.server is OURS:
        tunnel.server_settings["drain_timeout"] = 0
    tunnel.start()
    visitor = open_visit(tunnel)
    tunnel.server.signal(signal.SIGTERM)
    ends = how_it_ends(visitor)
    if tunnel.pair.server is OURS:
        assert ends == "reset"
        assert tunnel.server.wait() == 0
    if tunnel.pair.server is OURS and tunnel.pair.client is OURS:
        assert recorder.wait(deadline=HEALTH_TIMEOUT - 1)[0][1] == "reset", "notified at once, not by a timeout"


def test_stopped_client_ends_its_tunnels_and_exits_with_success(tunnel: Tunnel):
    recorder = tunnel.service.behaviour = echoing_recorder()
    if tunnel.pair.client is OURS:
        tunnel.client_settings["drain_timeout"] = 0
    tunnel.start()
    visitor = open_visit(tunnel)
    tunnel.client.signal(signal.SIGTERM)
    if tunnel.pair.client is not OURS:
        assert how_it_ends(visitor) in ("end", "reset")
        return
    assert tunnel.client.wait() == 0
    assert recorder.wait()[0][1] == "reset"
    assert how_it_ends(visitor) in (["reset"] if tunnel.pair.server.habits.resets else ["end", "reset"])


@pytest.mark.pairs("own")
def test_visitor_without_any_client_is_reset(tunnel: Tunnel):
    tunnel.start_server()
    with tunnel.visit() as visitor:
        assert how_it_ends(visitor) == "reset"


@pytest.mark.pairs("own")
@pytest.mark.parametrize("killed", ["server", "client"])
def test_killed_program_resets_the_connections_it_held(tunnel: Tunnel, killed: str):
    """RST on both sides, though the kernel closes idle sockets of a process that is killed with FIN: neither a visitor nor a
    service must take what came so far for all there is."""
    recorder = tunnel.service.behaviour = echoing_recorder()
    tunnel.start()
    visitors = [open_visit(tunnel) for _ in range(3)]
    getattr(tunnel, killed).kill()
    assert [how_it_ends(visitor) for visitor in visitors] == ["reset"] * 3
    assert [how for _, how in recorder.wait(3, deadline=HEALTH_TIMEOUT + MARGIN)] == ["reset"] * 3


@pytest.mark.pairs("own")
def test_no_line_about_visitors_who_find_no_service_is_lost_silently(tunnel: Tunnel):
    visitors = 7
    tunnel.start()
    tunnel.service.down()
    for _ in range(visitors):
        with contextlib.suppress(ConnectionResetError), tunnel.visit() as visitor:  # some before connect() returns
            visitor.recv(1)
    tunnel.client.stop()
    reported = re.findall(r"local service unreachable service=|lines left out event=\"local service unreachable\" count=(\d+)",
                      tunnel.client.log())
    assert reported == ["", str(visitors - 1)], tunnel.client.log()


@pytest.mark.only("serves_after_reconnect")
def test_client_may_be_started_before_its_server(tunnel: Tunnel):
    tunnel.client = tunnel.spawn("client", tunnel.client_settings)
    wait_until(lambda: tunnel.client.log(), "the client is up")
    tunnel.start_server()
    tunnel.wait_until_serving(MARGIN)


@pytest.mark.only("own_server")
def test_server_serves_on_after_one_of_two_clients_is_stopped(tunnel: Tunnel):
    tunnel.start()
    second = tunnel.spawn("client", tunnel.client_settings | {"client_id": "client-2"}, "second")
    second.wait_for_log(tunnel.pair.client.client_ready)
    tunnel.client.stop()
    tunnel.wait_until_serving()
    for _ in range(4):
        open_visit(tunnel).close()
    with contextlib.suppress(AssertionError):
        second.stop()
