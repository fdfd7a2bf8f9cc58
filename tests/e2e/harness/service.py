# SPDX-License-Identifier: MIT
"""A local service whose behaviour each test chooses, and the behaviours that several tests share."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

from .ports import free_port

Behaviour = Callable[[socket.socket], None]
BACKLOG = 2048
IDLE_TIMEOUT = 60.0


class Service:
    """Listens on loopback and gives every connection to the behaviour of the day, each in a thread of its own."""

    def __init__(self, host: str = "127.0.0.1", port: int | None = None):
        self.host = host
        self.port = port or free_port()
        self.behaviour: Behaviour = echo
        self._listener: socket.socket | None = None
        self.up()

    def up(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family, backlog=BACKLOG)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def down(self) -> None:
        """Stops listening: from now on a dial is refused. Connections that exist stay."""
        if self._listener is not None:
            # Closing alone leaves a blocked accept in place.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, self.behaviour), daemon=True).start()

    def _serve(self, connection: socket.socket, behaviour: Behaviour) -> None:
        connection.settimeout(IDLE_TIMEOUT)
        with connection, contextlib.suppress(OSError):
            behaviour(connection)


def abort(sock: socket.socket) -> None:
    """Closes with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def read_to_end(sock: socket.socket) -> bytes:
    parts = []
    while data := sock.recv(256 * 1024):
        parts.append(data)
    return b"".join(parts)


def read_exactly(sock: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        data = sock.recv(min(count - len(parts), 256 * 1024))
        if not data:
            raise EOFError(f"{len(parts)} of {count} bytes, then the end")
        parts += data
    return bytes(parts)


def exchange(visitor: socket.socket, data: bytes) -> bytes:
    """Sends `data` and returns as many bytes as come meanwhile and afterwards, for a service that echoes."""
    threading.Thread(target=visitor.sendall, args=(data,), daemon=True).start()
    return read_exactly(visitor, len(data))


def echo(sock: socket.socket) -> None:
    """Sends back what comes until the end, then ends."""
    while data := sock.recv(64 * 1024):
        sock.sendall(data)


def answer_with(data: bytes) -> Behaviour:
    """Sends `data` and closes, reading nothing."""

    def behave(sock: socket.socket) -> None:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        # Leave only when the other side has: closing over unread bytes would be a reset.
        read_to_end(sock)

    return behave


class Recorder:
    """A behaviour that notes how each connection went: what came, and how it ended (`end` or `reset`)."""

    def __init__(self, behaviour: Callable[[socket.socket], bytes] = read_to_end):
        self._behaviour = behaviour
        self._done = threading.Condition()
        self.seen: list[tuple[bytes, str]] = []
        self.accepted = threading.Event()

    def __call__(self, sock: socket.socket) -> None:
        self.accepted.set()
        try:
            outcome = (self._behaviour(sock) or b"", "end")
        except (ConnectionResetError, BrokenPipeError):
            outcome = (b"", "reset")
        with self._done:
            self.seen.append(outcome)
            self._done.notify_all()

    def wait(self, count: int = 1, deadline: float = 15.0) -> list[tuple[bytes, str]]:
        with self._done:
            if not self._done.wait_for(lambda: len(self.seen) >= count, deadline):
                raise AssertionError(f"{len(self.seen)} of {count} connections ended within {deadline:g} s")
            return self.seen[:count]
