# SPDX-License-Identifier: MIT
"""TCP peers whose machine, or way, is gone for good without FIN or RST. Keep-alive finds them; live ones are left alone."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from harness import namespaces
from harness.namespaces import Cable
from harness.programs import OWN
from harness.service import Recorder, Service, read_exactly
from harness.tunnel import Tunnel
from harness.waiting import wait_until

_why_not = namespaces.unavailable()
pytestmark = pytest.mark.skipif(_why_not is not None, reason=_why_not or "")

KEEP_ALIVE = 1  # s; gone after ten times that
# Another interval until the last look, and what a busy machine needs.
NOTICED = 10 * KEEP_ALIVE + 10
MIB = 1024 * 1024


class FarVisitors(Tunnel):
    """Server, client and service on one machine, visitors on another one."""

    def __init__(self, cable: Cable, *arguments, **options):
        self._cable = cable
        super().__init__(*arguments, host=Cable.SERVER, **options)

    def spawn(self, *arguments, **options):
        with self._cable.server.entered():
            return super().spawn(*arguments, **options)

    def visit(self, *arguments, **options) -> socket.socket:
        with self._cable.client.entered():
            return super().visit(*arguments, **options)


def descriptors(tunnel: Tunnel) -> list[int]:
    return [tunnel.server.descriptor_count(), tunnel.client.descriptor_count()]


@pytest.fixture
def cable() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.delete()


@pytest.fixture
def far(cable: Cable, credentials, tmp_path) -> Iterator[Callable[..., FarVisitors]]:
    tunnels = []

    def start(keep_alive: str = f"{KEEP_ALIVE}s") -> FarVisitors:
        with cable.server.entered():
            tunnel = FarVisitors(cable, OWN, credentials, tmp_path)
        tunnels.append(tunnel)
        tunnel.server_settings["tcp_keepalive"] = keep_alive
        tunnel.client_settings["tcp_keepalive"] = keep_alive
        tunnel.start().wait_until_serving()
        return tunnel

    yield start
    for tunnel in tunnels:
        tunnel.stop()


def settled(tunnel: Tunnel) -> list[int]:
    """What they have once the tunnels of earlier visitors are gone."""
    seen: list[list[int]] = []

    def stays() -> bool:
        seen.append(descriptors(tunnel))
        return len(seen) > 20 and seen[-20:] == [seen[-1]] * 20

    wait_until(stays, "the programs have no tunnels")
    return seen[-1]


def wait_until_released(tunnel: Tunnel, before: list[int]) -> None:
    wait_until(lambda: descriptors(tunnel) == before, "both programs give the descriptors of the tunnel back", NOTICED)


def test_silent_visitor_that_vanishes_is_noticed_on_both_sides(cable: Cable, far):
    tunnel = far()
    before = settled(tunnel)
    tunnel.service.behaviour = recorder = Recorder()
    visitor = tunnel.visit()
    visitor.sendall(b"hello")
    assert recorder.accepted.wait(10)
    cable.client.ip("link", "set", "wan", "down")
    assert recorder.wait(1, NOTICED) == [(b"", "reset")], "no clean end for a visitor that vanished"
    wait_until_released(tunnel, before)
    visitor.close()


def test_visitor_that_vanishes_in_a_download_is_noticed(cable: Cable, far):
    tunnel = far()
    before = settled(tunnel)

    def send_for_ever(sock: socket.socket) -> bytes:
        while True:
            sock.sendall(bytes(65536))

    tunnel.service.behaviour = recorder = Recorder(send_for_ever)
    visitor = tunnel.visit()
    read_exactly(visitor, MIB)
    threading.Thread(target=drain, args=(visitor,), daemon=True).start()
    cable.client.ip("link", "set", "wan", "down")
    assert recorder.wait(1, NOTICED) == [(b"", "reset")]
    wait_until_released(tunnel, before)
    visitor.close()


def drain(sock: socket.socket) -> None:
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass


def test_service_machine_that_vanishes_is_noticed_on_both_sides(cable: Cable, credentials, tmp_path):
    """The local service is on a machine of its own: `local.host` is not always loopback."""
    with cable.client.entered():
        service = Service(Cable.CLIENT)
    with cable.server.entered():
        tunnel = Tunnel(OWN, credentials, tmp_path, service=service)
        tunnel.server_settings["tcp_keepalive"] = tunnel.client_settings["tcp_keepalive"] = f"{KEEP_ALIVE}s"
        try:
            tunnel.start().wait_until_serving()
            before = settled(tunnel)
            with tunnel.visit() as visitor:
                visitor.sendall(b"echo")
                assert read_exactly(visitor, 4) == b"echo"
                cable.client.ip("link", "set", "wan", "down")
                visitor.settimeout(NOTICED)
                with pytest.raises(ConnectionResetError):
                    visitor.recv(1)
            wait_until_released(tunnel, before)
        finally:
            tunnel.stop()


def test_live_peers_that_say_and_take_nothing_stay(cable: Cable, far):
    """For longer than vanished ones: one silent both ways, and one that does not read what is there for it."""
    tunnel = far()
    data = os.urandom(16 * MIB)
    tunnel.service.behaviour = lambda sock: (read_exactly(sock, 1), sock.sendall(data), sock.recv(1))
    paused = tunnel.visit()
    paused.sendall(b"?")
    silent = tunnel.visit()
    vanished_after = time.monotonic() + 15 * KEEP_ALIVE
    for visitor in (paused, silent):
        visitor.setblocking(False)
    wait_until(lambda: time.monotonic() >= vanished_after, "a vanished peer would be gone", 15 * KEEP_ALIVE + 5)
    for visitor in (paused, silent):
        visitor.settimeout(30)
    assert read_exactly(paused, len(data)) == data
    silent.sendall(b"?")
    assert read_exactly(silent, len(data)) == data


def test_without_keep_alive_nothing_is_asked(cable: Cable, far):
    tunnel = far("0")
    with tunnel.visit() as visitor:
        visitor.sendall(b"x")
        with cable.server.entered():
            shown = subprocess.run(["ss", "-tno", "state", "established"], capture_output=True, text=True, check=True)
        assert "timer:(keepalive" not in shown.stdout
