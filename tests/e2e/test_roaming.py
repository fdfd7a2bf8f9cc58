# SPDX-License-Identifier: MIT
"""A client's way to its server changes or fails for a while: open tunnels go on, on the same connection."""

import contextlib
import hashlib
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness import network
from harness.flow import Flow
from harness.namespaces import Cable, Namespace
from harness.network import NattedPair, TwoLinks
from harness.programs import OWN
from harness.service import answer_with, exchange
from harness.split import SplitTunnel
from harness.waiting import pass_time

_why_not = network.unavailable()
pytestmark = pytest.mark.skipif(_why_not is not None, reason=_why_not or "")

MIB = 1024 * 1024
# Narrow enough for a download to last while things change.
LINK_RATE = ("tbf", "rate", "100mbit", "burst", "64kb", "limit", "256kb")
NEWCOMER_WAIT_MAX = 2.0
_DROP_ALL = 'table inet silence { chain arrivals { type filter hook prerouting priority 0; iifname "wan" drop; }; }'


@pytest.fixture
def split(credentials, tmp_path) -> Iterator[Callable[..., SplitTunnel]]:
    with ExitStack() as stack:

        def start(machines, quic_host: str, **options) -> SplitTunnel:
            stack.callback(machines.delete)
            tunnel = SplitTunnel(machines, OWN, credentials, tmp_path, quic_host=quic_host, **options)
            stack.callback(tunnel.stop)
            return tunnel.start()

        yield start


def connections(tunnel: SplitTunnel) -> int:
    return len(re.findall("client registered", tunnel.server.log()))


def report(what: str, seconds: float) -> None:
    print(f"{what}: {seconds * 1000:.0f} ms")


def newcomer_waits(tunnel: SplitTunnel) -> float:
    """Seconds until a visitor that comes now has its first byte. The service sends at once."""
    began = time.monotonic()
    with tunnel.visit() as visitor:
        assert visitor.recv(1)
    return time.monotonic() - began


def test_download_goes_on_when_a_nat_changes_port_and_address(split):
    machines = NattedPair()
    tunnel = split(machines, NattedPair.SERVER)
    machines.client.tc("qdisc", "replace", "dev", "lan", "root", *LINK_RATE)
    data = os.urandom(24 * MIB)
    tunnel.service.behaviour = answer_with(data)
    with tunnel.visit() as visitor:
        flow = Flow(visitor)
        for address in (NattedPair.NAT, NattedPair.NAT_LATER, NattedPair.NAT):
            flow.goes_on(4 * MIB)
            moved = time.monotonic()
            machines.nat.move(address)
            flow.goes_on(2 * MIB)
            report("download, mapping changed, stall", flow.longest_gap(moved))
        visitor.shutdown(socket.SHUT_WR)
        assert flow.digest() == hashlib.sha256(data).hexdigest()
    assert connections(tunnel) == 1


def test_visitor_comes_to_an_idle_client_whose_nat_has_forgotten_it(split):
    machines = NattedPair()
    tunnel = split(machines, NattedPair.SERVER, heartbeat="10s", health_timeout="30s")
    tunnel.wait_until_serving()
    tunnel.service.behaviour = answer_with(b"served")
    machines.nat.move(NattedPair.NAT_LATER)
    waited = newcomer_waits(tunnel)
    report("first visitor after an idle client's mapping changed", waited)
    assert waited < NEWCOMER_WAIT_MAX
    assert connections(tunnel) == 1


def test_open_tunnels_move_to_the_other_link_and_back(split):
    machines = TwoLinks()
    tunnel = split(machines, TwoLinks.SERVER, heartbeat="10s", health_timeout="30s")
    with tunnel.visit() as visitor:
        assert exchange(visitor, b"before") == b"before"
        for change in (lambda: machines.cut("wan"), lambda: machines.mend("wan"), lambda: machines.cut("backup")):
            change()
            began = time.monotonic()
            data = os.urandom(MIB)
            assert exchange(visitor, data) == data
            report("a MiB both ways after the link changed", time.monotonic() - began)
    assert connections(tunnel) == 1
    assert len(re.findall("network changed", tunnel.client.log())) >= 2


@contextlib.contextmanager
def link_down(cable: Cable) -> Iterator[None]:
    cable.client.ip("link", "set", "wan", "down")
    yield
    cable.client.ip("link", "set", "wan", "up")


@contextlib.contextmanager
def silence(cable: Cable) -> Iterator[None]:
    """Packets leave, and none arrives."""

    def at_both_ends(command: Callable[[Namespace], None]) -> None:
        for end in (cable.server, cable.client):
            command(end)

    at_both_ends(lambda end: end.run("nft", _DROP_ALL))
    yield
    at_both_ends(lambda end: end.run("nft", "delete table inet silence"))


def test_download_outlives_a_link_that_is_down_for_10_s(split):
    cable = Cable()
    tunnel = split(cable, Cable.SERVER, heartbeat="10s", health_timeout="60s")
    cable.shape(*LINK_RATE)
    data = os.urandom(16 * MIB)
    tunnel.service.behaviour = answer_with(data)
    with tunnel.visit() as visitor:
        flow = Flow(visitor)
        flow.wait_for(4 * MIB)
        with link_down(cable):
            pass_time(10)
            assert flow.ended is None
        began = time.monotonic()
        flow.goes_on()
        report("a link down for 10 s, download went on after", time.monotonic() - began)
        visitor.shutdown(socket.SHUT_WR)
        assert flow.digest() == hashlib.sha256(data).hexdigest()
    assert connections(tunnel) == 1


def test_tunnels_outlive_20_s_of_silence(split):
    """With the timeouts that users have."""
    cable = Cable()
    tunnel = split(cable, Cable.SERVER, heartbeat="10s", health_timeout="30s")
    with ExitStack() as stack:
        visitors = [stack.enter_context(tunnel.visit()) for _ in range(3)]
        for visitor in visitors:
            assert exchange(visitor, b"before") == b"before"
        with silence(cable):
            pass_time(20)
        began = time.monotonic()
        for visitor in visitors:
            data = os.urandom(MIB)
            assert exchange(visitor, data) == data
        report("20 s of silence, a MiB through each of three tunnels after", time.monotonic() - began)
    assert connections(tunnel) == 1
