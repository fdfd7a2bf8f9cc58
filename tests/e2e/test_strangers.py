# SPDX-License-Identifier: MIT
"""Clients without a certificate, as many as one host can send: they take little of the server, and nothing of others."""

import os
import select
import socket
import time

import pytest

from harness.initials import Initials, is_retry
from harness.link import Link
from harness.ports import free_port
from harness.programs import OWN
from harness.service import read_exactly
from harness.tunnel import Tunnel
from harness.waiting import wait_until

INITIALS = 8000
RESIDENT_BYTES_MAX = 32 * 1024 * 1024
AMPLIFICATION_MAX = 3
GIVEN_BACK_WITHIN = 5.0


class Flood:
    """Sends from several ports, and answers each Retry if it is to."""

    PORTS = 8

    def __init__(self, tunnel: Tunnel, initials: Initials, *, answers: bool):
        self._server = (tunnel.host, tunnel.quic_port)
        self._initials = initials
        self._answers = answers
        self._sockets = [self._socket(tunnel.host) for _ in range(self.PORTS)]
        self.sent_bytes = self.received_bytes = self.retries = 0

    @staticmethod
    def _socket(host: str) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        sock.bind((host, 0))
        sock.setblocking(False)
        return sock

    def run(self, seconds: float) -> None:
        datagrams = [self._initials.make() for _ in range(INITIALS)]
        began = time.monotonic()
        for number, datagram in enumerate(datagrams):
            self._send(self._sockets[number % self.PORTS], datagram)
            if number % 40 == 39:
                self.receive()
                while (ahead := began + number * seconds / INITIALS - time.monotonic()) > 0:
                    select.select(self._sockets, [], [], ahead)
                    self.receive()

    def receive(self) -> None:
        for sock in self._sockets:
            while True:
                try:
                    datagram = sock.recv(65535)
                except BlockingIOError:
                    break
                self.received_bytes += len(datagram)
                if is_retry(datagram):
                    self.retries += 1
                    if self._answers:
                        self._send(sock, self._initials.answer(datagram))

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()

    def _send(self, sock: socket.socket, datagram: bytes) -> None:
        sock.sendto(datagram, self._server)
        self.sent_bytes += len(datagram)


@pytest.mark.parametrize("answers", [False, True], ids=["forged-sources", "real-sources"])
@pytest.mark.parametrize("kind", ["wrong-alpn", "garbage", "never-continued", "with-gaps"])
def test_handshakes_of_strangers_take_little_memory_and_give_it_back(make_tunnel, kind: str, answers: bool):
    tunnel = make_tunnel(OWN)
    tunnel.start().wait_until_serving()
    initials = {"wrong-alpn": lambda: Initials.with_client_hello("h3"),
                "garbage": Initials.with_garbage,
                "never-continued": lambda: Initials.with_client_hello("qmux/1"),
                "with-gaps": lambda: Initials.with_gaps("qmux/1")}[kind]()
    flood = Flood(tunnel, initials, answers=answers)
    with tunnel.visit() as visitor:
        flood.run(seconds=1.0)
        visitor.sendall(b"still here")
        assert read_exactly(visitor, 10) == b"still here"
    assert flood.retries > 0

    def quiet() -> bool:
        before = flood.received_bytes
        flood.receive()
        return tunnel.server.resident_bytes() < RESIDENT_BYTES_MAX / 2 and flood.received_bytes == before

    wait_until(quiet, "the memory of the handshakes is given back", GIVEN_BACK_WITHIN)
    assert tunnel.server.resident_bytes_peak() < RESIDENT_BYTES_MAX
    assert flood.received_bytes < AMPLIFICATION_MAX * flood.sent_bytes
    flood.close()


def test_clients_come_back_while_strangers_flood(make_tunnel):
    """One host that begins handshakes as fast as it can keeps out none that comes from elsewhere."""
    tunnel = make_tunnel(OWN)
    tunnel.start().wait_until_serving()
    flood = Flood(tunnel, Initials.with_client_hello("qmux/1"), answers=True)
    flood.run(seconds=1.0)
    tunnel.client.kill()
    tunnel.start_client()
    tunnel.wait_until_serving(5.0)
    flood.close()


def test_one_listener_does_not_tell_how_to_cut_connections_of_another(make_tunnel):
    """RFC 9000 section 10.3: who knows a connection ID must not learn its stateless reset token."""
    tunnel = make_tunnel(OWN)
    other_port = free_port()
    first = tunnel.server_settings["listeners"][0]
    tunnel.server_settings["listeners"].append(
        first | {"quic_addr": tunnel.address(other_port), "traffic_addr": tunnel.address(free_port())})
    link = Link((tunnel.host, tunnel.quic_port))
    tunnel.client_settings["server"]["servers"][0]["address"] = tunnel.address(link.port)
    tunnel.start().wait_until_serving()
    ids = {datagram[1:13] for datagram in link.captured_to_server if not datagram[0] & 0x80}
    assert ids
    with tunnel.visit() as visitor, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect((tunnel.host, other_port))
        for connection_id in ids:
            sock.send(bytes([0x40]) + connection_id + os.urandom(87))
            link.send_to_client(sock.recv(2000))
        visitor.sendall(b"still here")
        assert read_exactly(visitor, 10) == b"still here"
    link.close()
