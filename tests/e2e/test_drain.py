# SPDX-License-Identifier: MIT
"""A client or a server that is asked to stop lets its visitors go on."""

import signal
import socket
import time

import pytest

from harness.service import read_exactly, read_to_end
from harness.sites import Sites
from harness.waiting import wait_until

SIZE = 20_000_000


def send_much(sock: socket.socket) -> None:
    sock.recv(1)
    sock.sendall(bytes(SIZE))


def begin_download(sites: Sites) -> socket.socket:
    visitor = sites.tunnel.visit()
    visitor.sendall(b"?")
    read_exactly(visitor, 1000)
    return visitor


def test_a_client_that_is_stopped_serves_the_visitors_it_has(make_sites):
    sites = make_sites()
    leaving = sites.add("leaving")
    leaving.service.behaviour = send_much
    visitors = [begin_download(sites) for _ in range(4)]
    staying = sites.add("staying")
    leaving.client.signal(signal.SIGTERM)
    sites.tunnel.server.wait_for_log("client is draining")
    before = staying.visitors
    assert all(sites.is_served() for _ in range(10))
    assert staying.visitors == before + 10
    assert leaving.client.runs_on_for(1.5), "a slow reader: the client has sent everything long before"
    for visitor in visitors:
        assert len(read_to_end(visitor)) == SIZE - 1000
        visitor.close()
    assert leaving.client.wait() == 0


def test_an_idle_client_stops_at_once(make_sites):
    sites = make_sites()
    site = sites.add("idle")
    assert sites.is_served()
    began = time.monotonic()
    assert site.client.stop() == 0
    assert time.monotonic() - began < 1


def test_a_server_that_is_stopped_serves_the_visitors_it_has(make_sites):
    sites = make_sites()
    site = sites.add("site")
    site.service.behaviour = send_much
    visitors = [begin_download(sites) for _ in range(4)]
    server = sites.tunnel.server
    server.signal(signal.SIGTERM)
    site.client.wait_for_log("server is draining")
    wait_until(lambda: refuses(sites), "the server takes no more visitors", 2)
    assert server.runs_on_for(1.5)
    for visitor in visitors:
        assert len(read_to_end(visitor)) == SIZE - 1000
        visitor.close()
    assert server.wait() == 0

    site.service.behaviour = site.serve
    sites.tunnel.start_server()
    began = time.monotonic()
    assert sites.is_served(), "the visitor waits for the client"
    assert time.monotonic() - began < 3


def test_a_server_without_visitors_stops_at_once_and_its_client_is_back_soon(make_sites):
    sites = make_sites()
    sites.add("site")
    assert sites.is_served()
    began = time.monotonic()
    assert sites.tunnel.server.stop() == 0
    assert time.monotonic() - began < 1
    sites.tunnel.start_server()
    assert sites.is_served()


def test_a_drain_ends_when_its_time_is_up(make_sites):
    sites = make_sites(server={"drain_timeout": "2s"}, client={"drain_timeout": "2s"})
    site = sites.add("site")
    with sites.tunnel.visit() as visitor:
        assert read_exactly(visitor, 6)
        began = time.monotonic()
        site.client.signal(signal.SIGTERM)
        with pytest.raises(ConnectionResetError):
            visitor.recv(1)
        assert 1.5 < time.monotonic() - began < 4
    assert site.client.wait() == 0


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_second_signal_ends_at_once(make_sites, role):
    sites = make_sites()
    site = sites.add("site")
    process = sites.tunnel.server if role == "server" else site.client
    with sites.tunnel.visit() as visitor:
        assert read_exactly(visitor, 6)
        process.signal(signal.SIGTERM)
        process.wait_for_log("draining")
        process.signal(signal.SIGTERM)
        assert process.wait(2) == 128 + signal.SIGTERM
        with pytest.raises(ConnectionResetError):
            visitor.recv(1)
    if role == "server":
        sites.tunnel.start_server()


def refuses(sites: Sites) -> bool:
    try:
        with sites.tunnel.visit(timeout=2):
            return False
    except ConnectionRefusedError:
        return True
