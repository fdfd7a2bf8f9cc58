# SPDX-License-Identifier: MIT
"""Many at once, and ends that do not read: memory stays bounded and no other waits."""

import hashlib
import os
import socket
import threading
import time

import pytest

from harness.service import Recorder, echo, read_exactly
from harness.tunnel import Tunnel
from harness.waiting import wait_until

MIB = 1024 * 1024
TUNNELS = 1000
STREAM_BYTES = 256 * MIB
IN_FLIGHT_BYTES_MAX = 48 * MIB
GROWTH_BYTES_MAX = 32 * MIB
STILL_SECONDS = 1.0
WATCHED_SECONDS = 1.0


@pytest.mark.pairs("fast")
def test_a_thousand_tunnels_at_once(make_tunnel, pair):
    tunnel = make_tunnel(pair).start()
    visitors = [tunnel.visit() for _ in range(TUNNELS)]
    try:
        for number, visitor in enumerate(visitors):
            visitor.sendall(f"{number:08}".encode() * 128)
        for number, visitor in enumerate(visitors):
            assert read_exactly(visitor, 1024) == f"{number:08}".encode() * 128
    finally:
        for visitor in visitors:
            visitor.close()
    tunnel.wait_until_serving()
    assert tunnel.alive()


def visit_or_nothing(tunnel):
    """A visitor may be reset before it knows that it was connected."""
    try:
        return tunnel.visit()
    except ConnectionResetError:
        return None


def test_survives_running_out_of_descriptors(make_tunnel, pair):
    """Visitors beyond the limit wait or are refused; once others have left everyone is served again."""
    tunnel = make_tunnel(pair)
    tunnel.server = tunnel.spawn("server", tunnel.server_settings, within=("prlimit", "--nofile=64:64"))
    tunnel.server.wait_for_log(pair.server.server_ready)
    tunnel.start_client()
    first = tunnel.visit()
    first.sendall(b"alone")
    assert read_exactly(first, 5) == b"alone"  # it is served: of a crowd, any may be refused
    visitors = [first, *(visitor for visitor in (visit_or_nothing(tunnel) for _ in range(99)) if visitor is not None)]
    visitors[0].sendall(b"among many")
    assert read_exactly(visitors[0], 10) == b"among many"
    assert tunnel.server.cpu_share(WATCHED_SECONDS) < 0.25, "it does not spin"
    for visitor in visitors:
        visitor.close()
    tunnel.wait_until_serving()
    assert tunnel.alive()


class Meter:
    """Counts what one end has sent, and notices when that stands still."""

    def __init__(self):
        self.bytes = 0
        self.digest = hashlib.sha256()

    def pour(self, sock: socket.socket, total: int) -> None:
        block = os.urandom(MIB)
        while self.bytes < total:
            sock.sendall(block)
            self.digest.update(block)
            self.bytes += len(block)

    def wait_until_still(self) -> None:
        last, since = -1, 0.0

        def still() -> bool:
            nonlocal last, since
            if self.bytes != last:
                last, since = self.bytes, time.monotonic()
            return time.monotonic() - since > STILL_SECONDS

        wait_until(still, "the sender is held back", 30)


def digest_slowly(sock: socket.socket) -> bytes:
    """Reads to the end; one small bite at a time at first."""
    digest = hashlib.sha256()
    for _ in range(100):
        digest.update(sock.recv(1000))
    while data := sock.recv(MIB):
        digest.update(data)
    return digest.hexdigest().encode()


def test_slow_visitor_holds_the_service_back(tunnel: Tunnel):
    meter = Meter()
    tunnel.service.behaviour = lambda sock: meter.pour(sock, STREAM_BYTES)
    before = resident(tunnel)
    with tunnel.visit() as visitor:
        wait_until(lambda: meter.bytes > 0, "the service sends")
        meter.wait_until_still()
        assert meter.bytes < IN_FLIGHT_BYTES_MAX
        assert_bounded(tunnel, before)
        assert digest_slowly(visitor).decode() == meter.digest.hexdigest()
    assert_bounded(tunnel, before)


def test_slow_service_holds_the_visitor_back(tunnel: Tunnel):
    meter = Meter()
    go_on = threading.Event()

    def read_late(sock: socket.socket) -> bytes:
        go_on.wait(60)
        return digest_slowly(sock)

    recorder = tunnel.service.behaviour = Recorder(read_late)
    before = resident(tunnel)
    with tunnel.visit() as visitor:
        sender = threading.Thread(target=meter.pour, args=(visitor, STREAM_BYTES), daemon=True)
        sender.start()
        meter.wait_until_still()
        assert meter.bytes < IN_FLIGHT_BYTES_MAX
        assert_bounded(tunnel, before)
        go_on.set()
        sender.join(60)
        visitor.shutdown(socket.SHUT_WR)
        assert recorder.wait(deadline=60) == [(meter.digest.hexdigest().encode(), "end")]
    assert_bounded(tunnel, before)


def test_visitors_who_do_not_read_stop_no_other(tunnel: Tunnel):
    meters = []

    def pour(sock: socket.socket) -> None:
        meters.append(Meter())
        meters[-1].pour(sock, STREAM_BYTES)

    tunnel.service.behaviour = pour
    stuck = [tunnel.visit() for _ in range(10)]
    try:
        wait_until(lambda: len(meters) == len(stuck), "all are joined to the service")
        for meter in meters:
            meter.wait_until_still()
        tunnel.service.behaviour = echo
        data = os.urandom(10 * MIB)
        with tunnel.visit() as visitor:
            threading.Thread(target=visitor.sendall, args=(data,), daemon=True).start()
            assert read_exactly(visitor, len(data)) == data
    finally:
        for visitor in stuck:
            visitor.close()


def resident(tunnel: Tunnel) -> dict:
    return {process: process.resident_bytes() for process in (tunnel.server, tunnel.client)}


def assert_bounded(tunnel: Tunnel, before: dict) -> None:
    for process, base in before.items():
        growth = process.resident_bytes() - base
        assert growth < GROWTH_BYTES_MAX, f"{process.name} grew by {growth / MIB:.1f} MiB"
