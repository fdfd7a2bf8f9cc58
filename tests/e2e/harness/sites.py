# SPDX-License-Identifier: MIT
"""Several clients of one server, each with a local service of its own."""

import contextlib
import socket
from collections.abc import Iterator

from .process import Process
from .service import Service, echo
from .tunnel import VISITOR_TIMEOUT, Tunnel

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
            self.serve_one(request)
        except (ConnectionResetError, ValueError):
            return False
        return True

    def serve_one(self, request: bytes = b"?", timeout: float = VISITOR_TIMEOUT) -> None:
        """Raises OSError or ValueError when a visitor does not get the answer."""
        with self.tunnel.visit(timeout) as visitor:
            visitor.sendall(request)
            if not _receives(visitor, ANSWER + request):
                raise ValueError("another answer, or none")

    def enter(self) -> socket.socket:
        """A visitor that is served, and stays."""
        visitor = self.tunnel.visit()
        if not _receives(visitor, ANSWER):
            visitor.close()
            raise ValueError("another answer, or none")
        return visitor


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
