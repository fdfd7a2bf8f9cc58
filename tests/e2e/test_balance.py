# SPDX-License-Identifier: MIT
"""How our server shares visitors out among clients: one whose service is down, and several of one name."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from harness.process import Process
from harness.service import Service, echo
from harness.tunnel import Tunnel
from harness.waiting import wait_until

pytestmark = [
    pytest.mark.pairs("all"),
    pytest.mark.only("own_server"),
    pytest.mark.parametrize("balance", ["least-connections", "round-robin"]),
]

ANSWER = b"served"


class Site:
    """One more client of a tunnel's server, and its service, which counts its visitors."""

    def __init__(self, tunnel: Tunnel, name: str, client_id: str):
        self.visitors = 0
        self.service = Service(tunnel.host)
        self.service.behaviour = self._serve
        settings = tunnel.client_settings | {
            "client_id": client_id,
            "local": {"host": self.service.host, "port": self.service.port},
        }
        self.client: Process = tunnel.spawn("client", settings, name)
        self.client.wait_for_log(tunnel.pair.client.client_ready)

    def _serve(self, sock: socket.socket) -> None:
        self.visitors += 1
        sock.sendall(ANSWER)
        echo(sock)

    def close(self) -> None:
        self.client.kill()
        self.service.down()


@pytest.fixture
def sites(make_tunnel, pair, balance) -> Iterator:
    """Makes sites of one server."""
    tunnel = make_tunnel(pair)
    tunnel.server_settings["load_balancer"] = balance
    tunnel.start_server()
    with contextlib.ExitStack() as stack:

        def make(name: str, client_id: str) -> Site:
            site = Site(tunnel, name, client_id)
            stack.callback(site.close)
            return site

        make.tunnel = tunnel
        yield make
    assert tunnel.server.alive()


def is_served(tunnel: Tunnel) -> bool:
    """Whether a visitor gets the answer; it leaves when it has it."""
    try:
        with tunnel.visit() as visitor:
            return visitor.recv(len(ANSWER)) == ANSWER
    except ConnectionResetError:
        return False


def test_a_client_whose_service_is_down_costs_few_visitors(sites):
    sites("healthy", "healthy")
    dead = sites("dead", "dead")
    dead.service.down()
    served = [is_served(sites.tunnel) for _ in range(50)]
    assert served.count(False) <= 3
    assert dead.visitors == 0
    dead.service.up()

    def dead_serves() -> bool:
        is_served(sites.tunnel)
        return dead.visitors > 0

    wait_until(dead_serves, "the client gets visitors again", 15)


def test_a_client_whose_service_is_down_is_better_than_none(sites):
    dead = sites("dead", "dead")
    dead.service.down()
    for _ in range(3):
        assert not is_served(sites.tunnel)
    dead.service.up()
    assert is_served(sites.tunnel), "at once"


def test_clients_of_one_name_share_visitors_evenly_though_one_has_just_come(sites):
    made = [sites(name, "same") for name in ("first", "second", "newcomer")]
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            visitor = stack.enter_context(sites.tunnel.visit())
            assert visitor.recv(len(ANSWER)) == ANSWER
    shares = [site.visitors for site in made]
    assert all(19 <= share <= 21 for share in shares), shares
