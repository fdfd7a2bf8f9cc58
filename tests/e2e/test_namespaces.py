# SPDX-License-Identifier: MIT
"""A server's and a client's machine with a cable between them: interfaces that go down, move, narrow and fill up."""

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness import namespaces
from harness.namespaces import Cable
from harness.programs import OWN
from harness.service import exchange, read_exactly
from harness.split import SplitTunnel
from harness.waiting import wait_until

_why_not = namespaces.unavailable()
pytestmark = pytest.mark.skipif(_why_not is not None, reason=_why_not or "")

MIB = 1024 * 1024


@pytest.fixture
def cable() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.delete()


@pytest.fixture
def split(cable: Cable, credentials, tmp_path) -> Iterator[Callable[..., SplitTunnel]]:
    with ExitStack() as stack:

        def start(quic_host: str = Cable.SERVER, **options) -> SplitTunnel:
            tunnel = SplitTunnel(cable, OWN, credentials, tmp_path, quic_host=quic_host, **options)
            stack.callback(tunnel.stop)
            return tunnel.start()

        yield start


@pytest.mark.parametrize("quic_host", [Cable.SERVER, Cable.SERVER_IPV6])
@pytest.mark.parametrize("mtu", [1280, 1500, 9000])
def test_any_usual_mtu_will_do(cable: Cable, split, quic_host: str, mtu: int):
    for end in (cable.server, cable.client):
        end.ip("link", "set", "wan", "mtu", str(mtu))
    data = os.urandom(4 * MIB)
    with split(quic_host).visit() as visitor:
        assert exchange(visitor, data) == data


def test_narrow_link_with_a_short_queue_loses_nothing_of_a_tunnel(cable: Cable, split):
    cable.shape("tbf", "rate", "40mbit", "burst", "16kb", "limit", "64kb")
    data = os.urandom(4 * MIB)
    with split().visit() as visitor:
        assert exchange(visitor, data) == data


@pytest.mark.parametrize("properties", ["delay 20ms", "delay 5ms loss 1%", "delay 10ms 5ms reorder 25% duplicate 1%"])
def test_delay_loss_reordering_and_duplicates_lose_nothing_of_a_tunnel(cable: Cable, split, properties: str):
    try:
        cable.shape("netem", *properties.split())
    except subprocess.CalledProcessError as error:
        pytest.skip(f"tc netem: {error.stderr.strip()}")
    data = os.urandom(4 * MIB)
    with split().visit() as visitor:
        assert exchange(visitor, data) == data


def test_open_tunnel_survives_a_link_that_is_down_for_a_moment(cable: Cable, split):
    tunnel = split(health_timeout="20s")
    data = os.urandom(4 * MIB)
    with tunnel.visit() as visitor:
        threading.Thread(target=visitor.sendall, args=(data,), daemon=True).start()
        received = read_exactly(visitor, MIB)
        cable.client.ip("link", "set", "wan", "down")
        # Down until the stream has run dry: what was on its way has arrived.
        visitor.settimeout(0.5)
        while (part := read_or_nothing(visitor)) is not None:
            received += part
        cable.client.ip("link", "set", "wan", "up")
        visitor.settimeout(30)
        assert received + read_exactly(visitor, len(data) - len(received)) == data


def read_or_nothing(visitor: socket.socket) -> bytes | None:
    try:
        return visitor.recv(65536)
    except TimeoutError:
        return None


def test_client_serves_again_after_its_machine_got_another_address(cable: Cable, split):
    tunnel = split(health_timeout="4s")
    tunnel.wait_until_serving()
    cable.move_client()
    tunnel.wait_until_serving(20)


def test_open_tunnels_go_on_and_visitors_come_after_the_client_got_another_address(cable: Cable, split):
    tunnel = split(health_timeout="20s", heartbeat="10s")
    with ExitStack() as stack:
        visitors = [stack.enter_context(tunnel.visit()) for _ in range(3)]
        for visitor in visitors:
            assert exchange(visitor, b"before") == b"before"
        cable.move_client()
        began = time.monotonic()
        with tunnel.visit() as newcomer:
            assert exchange(newcomer, b"new") == b"new"
        newcomer_waited = time.monotonic() - began
        for visitor in visitors:
            data = os.urandom(MIB)
            assert exchange(visitor, data) == data
        assert newcomer_waited < 2
    assert len(re.findall("client registered", tunnel.server.log())) == 1, "the connection has moved"


def test_client_finds_its_server_once_there_is_a_network(cable: Cable, split, credentials, tmp_path):
    """Started on a machine without a route: it keeps trying."""
    cable.client.ip("link", "set", "wan", "down")
    tunnel = SplitTunnel(cable, OWN, credentials, tmp_path, quic_host=Cable.SERVER)
    try:
        tunnel.start_server()
        tunnel.client = tunnel.spawn("client", tunnel.client_settings)
        wait_until(lambda: tunnel.client.log(), "the client is up")
        cable.client.ip("link", "set", "wan", "up")
        tunnel.wait_until_serving(20)
    finally:
        tunnel.stop()
