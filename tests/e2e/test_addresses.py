# SPDX-License-Identifier: MIT
"""A client whose server has several addresses."""

import copy
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness import names
from harness.names import Names
from harness.ports import free_port
from harness.process import Process
from harness.programs import OWN
from harness.tunnel import Tunnel
from harness.waiting import wait_until

NAME = "cluster.test"

_why_not = names.unavailable()
pytestmark = pytest.mark.skipif(_why_not is not None, reason=_why_not or "")


@pytest.fixture
def hosts(tmp_path: Path) -> Names:
    return Names(tmp_path)


@pytest.fixture
def named(make_tunnel, hosts: Names) -> Iterator[Callable[..., Tunnel]]:
    """A tunnel, nothing of it started, whose client knows the server by its name."""
    def make(**server) -> Tunnel:
        tunnel = make_tunnel(OWN)
        tunnel.client_settings["server"]["servers"][0] |= {"address": f"{NAME}:{tunnel.quic_port}", **server}
        return tunnel

    yield make


def start_client(tunnel: Tunnel, hosts: Names) -> Process:
    tunnel.client = tunnel.spawn("client", tunnel.client_settings, within=hosts.within)
    return tunnel.client


def swallow(stack: ExitStack, address: str, port: int) -> None:
    """A UDP port that takes every packet and answers none."""
    sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind((address, port))


def test_addresses_that_do_not_answer_delay_a_client_by_a_quarter_of_a_second_each(named, hosts: Names):
    tunnel = named()
    hosts.set(NAME, "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.1")
    tunnel.start_server()
    with ExitStack() as stack:
        for address in ("127.0.0.2", "127.0.0.3"):
            swallow(stack, address, tunnel.quic_port)
        begin = time.monotonic()
        start_client(tunnel, hosts).wait_for_log("client ready")
        assert time.monotonic() - begin < 4, "the handshake timeout is 5 s"
    tunnel.client.wait_for_log(rf"server connected .*address={tunnel.host}:{tunnel.quic_port}")


def test_every_address_that_fails_is_named(named, hosts: Names):
    tunnel = named()
    hosts.set(NAME, "127.0.0.2", "127.0.0.3")
    client = start_client(tunnel, hosts)
    for address in ("127.0.0.2", "127.0.0.3"):
        client.wait_for_log(rf"server not reached server={NAME}:\d+ address={address}:\d+ cause=\"connection refused")


class SecondServer:
    """On another address of the name: the same QUIC port, traffic of its own."""

    ADDRESS = "127.0.0.3"

    def __init__(self, tunnel: Tunnel):
        self.traffic_port = free_port()
        settings = copy.deepcopy(tunnel.server_settings)
        settings["listeners"][0] |= {"quic_addr": f"{self.ADDRESS}:{tunnel.quic_port}",
                                     "traffic_addr": f"127.0.0.1:{self.traffic_port}"}
        self.process = tunnel.spawn("server", settings, name="second")
        self.process.wait_for_log("listener ready")

    def visit(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.traffic_port), 10)

    def serves(self) -> bool:
        try:
            with self.visit() as visitor:
                visitor.settimeout(2)
                visitor.sendall(b"?")
                return visitor.recv(1) == b"?"
        except OSError:
            return False


@pytest.mark.parametrize("workers", [1, 2])
def test_a_cluster_behind_one_name_grows_and_shrinks_without_a_change_of_the_client(named, hosts: Names, workers: int):
    tunnel = named(all_addresses=True)
    tunnel.client_settings |= {"workers": workers}
    tunnel.client_settings["server"]["resolve_interval"] = "1s"
    hosts.set(NAME, "127.0.0.1")
    tunnel.start_server()
    second = SecondServer(tunnel)
    try:
        start_client(tunnel, hosts).wait_for_log("client ready")
        with tunnel.visit() as visitor:
            visitor.sendall(b"a")
            assert visitor.recv(1) == b"a"
            hosts.set(NAME, "127.0.0.1", SecondServer.ADDRESS)
            wait_until(second.serves, "the second server serves", 10)
            hosts.set(NAME, SecondServer.ADDRESS)
            tunnel.client.wait_for_log(r"server removed .*address=127\.0\.0\.1:\d+")
            tunnel.server.wait_for_log("client is draining")
            visitor.sendall(b"b")
            assert visitor.recv(1) == b"b", "its tunnel goes on"
            assert second.serves()
        tunnel.server.wait_for_log("client disconnected")
        assert second.serves()
    finally:
        second.process.kill()


def test_a_name_that_fails_changes_nothing(named, hosts: Names):
    tunnel = named(all_addresses=True)
    tunnel.client_settings["server"]["resolve_interval"] = "1s"
    hosts.set(NAME, "127.0.0.1")
    tunnel.start_server()
    client = start_client(tunnel, hosts)
    client.wait_for_log("client ready")
    hosts.set(NAME)
    client.wait_for_log("server name not resolved")
    assert client.runs_on_for(2.5)
    assert client.log().count("server name not resolved") == 1
    assert tunnel.serves()
