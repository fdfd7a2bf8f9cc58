# SPDX-License-Identifier: MIT
"""Networks that delay, lose, and change a client's address, through a link in user space."""

import os
import threading
import time

import pytest

from harness.link import Link
from harness.programs import OURS, REFERENCE_PROGRAM
from harness.service import exchange, read_exactly
from harness.tunnel import Tunnel

pytestmark = pytest.mark.pairs("fast")

MIB = 1024 * 1024


@pytest.fixture
def linked(make_tunnel, pair):
    """Makes a tunnel whose client reaches the server over a link."""
    links = []

    def make(heartbeat: str = "200ms", **properties) -> tuple[Tunnel, Link]:
        tunnel = make_tunnel(pair, heartbeat=heartbeat, health_timeout="30s")
        link = Link((tunnel.host, tunnel.quic_port), **properties)
        links.append(link)
        tunnel.client_settings["server"]["servers"][0]["address"] = tunnel.address(link.port)
        return tunnel.start(), link

    yield make
    for link in links:
        link.close()


@pytest.mark.parametrize(("delay", "loss"), [(0.0, 0.0), (0.02, 0.0), (0.005, 0.01), (0.005, 0.05)])
def test_bytes_arrive_whole_over_a_bad_link(linked, delay: float, loss: float):
    tunnel, _ = linked(delay=delay, loss=loss)
    data = os.urandom(2 * MIB)
    with tunnel.visit() as visitor:
        assert exchange(visitor, data) == data


def rebindings(tunnel: Tunnel) -> int:
    """The Go server never gives back the connection ID of a path that it has left: the fourth finds none."""
    return 3 if tunnel.pair.server is REFERENCE_PROGRAM else 5


def test_open_tunnel_survives_nat_rebindings(linked):
    tunnel, link = linked()
    with tunnel.visit() as visitor:
        for turn in range(rebindings(tunnel)):
            link.rebind()
            message = f"turn {turn}".encode()
            visitor.sendall(message)
            assert read_exactly(visitor, len(message)) == message


def test_transfer_survives_nat_rebindings_under_way(linked):
    tunnel, link = linked(delay=0.002)
    parts = rebindings(tunnel) + 1
    data = os.urandom(parts * MIB)
    with tunnel.visit() as visitor:
        threading.Thread(target=visitor.sendall, args=(data,), daemon=True).start()
        received = read_exactly(visitor, MIB)
        for _ in range(parts - 1):
            link.rebind()
            received += read_exactly(visitor, MIB)
        assert received == data


def test_new_visitors_are_served_after_a_rebinding(linked, pair):
    own = pair.client is OURS
    tunnel, link = linked(heartbeat="10s" if own else "200ms")
    tunnel.wait_until_serving()
    link.rebind()
    # Nothing has come from the client's new address yet: the server still knows the old one.
    began = time.monotonic()
    tunnel.wait_until_serving()
    assert not own or time.monotonic() - began < 2.5, "the client sends something soon, though nothing is due"
