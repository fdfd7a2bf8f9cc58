# SPDX-License-Identifier: MIT
"""Several clients of one server, each with a local service of its own."""

import contextlib
import socket
from collections.abc import Iterator

from .process import Process
from .service import Service, echo
from .tunnel import Tunnel

ANSWER = b"served"


class Site:
    """One more client of a tunnel's server, and its service, which counts its visitors."""

    def __init__(self, tunnel: Tunnel, name: str, client_id: str):
        self.visitors = 0
        self.service = Service(tunnel.host)
        self.service.behaviour = self.serve
        settings = tunnel.client_settings | {
            "client_id": client_id,
            "local": {"host": self.service.host, "port": self.service.port},
        }
        self.client: Process = tunnel.spawn("client", settings, name)
        self.client.wait_for_log(tunnel.pair.client.client_ready)

    def serve(self, sock: socket.socket) -> None:
        self.visitors += 1
        sock.sendall(ANSWER)
        echo(sock)

    def close(self) -> None:
        self.client.kill()
        self.service.down()


class Sites:
    """Sites of a tunnel whose server runs; they end with it."""

    def __init__(self, tunnel: Tunnel, stack: contextlib.ExitStack):
        self.tunnel = tunnel
        self._stack = stack

    def add(self, name: str, client_id: str | None = None) -> Site:
        site = Site(self.tunnel, name, client_id or name)
        self._stack.callback(site.close)
        return site

    def is_served(self, request: bytes = b"") -> bool:
        """Whether a visitor gets the answer; it leaves when it has it."""
        try:
            with self.tunnel.visit() as visitor:
                visitor.sendall(request)
                return _receives(visitor, ANSWER + request)
        except ConnectionResetError:
            return False


@contextlib.contextmanager
def sites_of(tunnel: Tunnel) -> Iterator[Sites]:
    with contextlib.ExitStack() as stack:
        yield Sites(tunnel, stack)
    assert tunnel.server.alive()


def _receives(visitor: socket.socket, expected: bytes) -> bool:
    got = b""
    while len(got) < len(expected) and (data := visitor.recv(65536)):
        got += data
    return got == expected
