# SPDX-License-Identifier: MIT
"""Visitors by TCP share the descriptors of the server: none takes them all, and what is refused is counted in the log."""

import contextlib
import re
import socket
from collections.abc import Iterator

import pytest

from harness.certificates import SERVER_NAME
from harness.ports import free_port
from harness.programs import OWN
from harness.service import read_exactly
from harness.tunnel import Tunnel

DESCRIPTORS = 256
IDLERS = 2 * DESCRIPTORS
LATECOMERS = 5
ONE_ADDRESS, OTHER_ADDRESS = "127.0.0.1", "127.0.0.2"


class Visitors:
    """They come, are served once, and stay."""

    def __init__(self, stack: contextlib.ExitStack, host: str):
        self._stack = stack
        self._host = host

    def come(self, port: int, count: int, source: str = ONE_ADDRESS) -> int:
        """How many are served."""
        return sum(self._comes(port, source) for _ in range(count))

    def _comes(self, port: int, source: str) -> bool:
        sock = self._stack.enter_context(socket.socket())
        sock.settimeout(20)
        sock.bind((source, 0))
        try:
            sock.connect((self._host, port))
            sock.sendall(b"?")
            return read_exactly(sock, 1) == b"?"
        except (ConnectionError, EOFError):
            sock.close()
            return False


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    with contextlib.ExitStack() as stack:
        yield Visitors(stack, ONE_ADDRESS)


def add_listener(tunnel: Tunnel) -> int:
    """A second listener with the same client; returns the port of its visitors."""
    quic_port, traffic_port = free_port(), free_port()
    first = tunnel.server_settings["listeners"][0]
    tunnel.server_settings["listeners"].append(
        first | {"quic_addr": tunnel.address(quic_port), "traffic_addr": tunnel.address(traffic_port)})
    tunnel.client_settings["server"]["servers"].append(
        {"address": tunnel.address(quic_port), "server_name": SERVER_NAME})
    return traffic_port


def start(tunnel: Tunnel, *, within: tuple[str, ...] = ()) -> None:
    tunnel.server_settings["workers"] = 1  # each has its own line in the log
    tunnel.server = tunnel.spawn("server", tunnel.server_settings, within=within)
    listeners = len(tunnel.server_settings["listeners"])
    tunnel.server.wait_for_log(OWN.server.server_ready, count=listeners)
    tunnel.spawn_client()
    tunnel.client.wait_for_log(OWN.client.client_ready, count=listeners)


def refused(tunnel: Tunnel, counter: str) -> int:
    """What the log says of it, once it does."""
    line = tunnel.server.wait_for_log(rf"dropped or refused.*\b{counter}\b.*")
    return int(re.search(rf"\b{counter}\b\W+(\d+)", line.group(0)).group(1))


def test_one_address_that_stays_on_one_listener_shuts_none(make_tunnel, visitors: Visitors):
    tunnel = make_tunnel(OWN)
    other_port = add_listener(tunnel)
    start(tunnel, within=("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"))
    served = visitors.come(tunnel.traffic_port, IDLERS)
    assert DESCRIPTORS // 4 < served < DESCRIPTORS * 3 // 4
    assert visitors.come(other_port, LATECOMERS, OTHER_ADDRESS) == LATECOMERS
    assert visitors.come(other_port, LATECOMERS, ONE_ADDRESS) == LATECOMERS
    assert visitors.come(tunnel.traffic_port, 1, OTHER_ADDRESS) == 1, "nor that one for another address"
    assert tunnel.server.descriptor_count() < DESCRIPTORS
    assert refused(tunnel, "visitors_source_full") > 0
    assert tunnel.alive()


def test_max_visitors_bounds_one_listener(make_tunnel, visitors: Visitors):
    tunnel = make_tunnel(OWN)
    other_port = add_listener(tunnel)
    tunnel.server_settings["listeners"][0]["max_visitors"] = 3
    start(tunnel)
    assert visitors.come(tunnel.traffic_port, 2) == 2
    assert visitors.come(tunnel.traffic_port, 4, OTHER_ADDRESS) == 1
    assert visitors.come(other_port, LATECOMERS) == LATECOMERS
    assert refused(tunnel, "visitors_listener_full") == 3


def test_max_visitors_per_source_bounds_one_address(make_tunnel, visitors: Visitors):
    tunnel = make_tunnel(OWN)
    tunnel.server_settings["listeners"][0]["max_visitors_per_source"] = 3
    start(tunnel)
    assert visitors.come(tunnel.traffic_port, 5) == 3
    assert visitors.come(tunnel.traffic_port, 4, OTHER_ADDRESS) == 3
    assert refused(tunnel, "visitors_source_full") == 3
