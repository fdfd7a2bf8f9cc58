# SPDX-License-Identifier: MIT
"""The UDP half of both roles: visitors' sessions at the server, local sockets at the client."""

import asyncio
import contextlib
import itertools
import logging
import os
import socket
from collections.abc import Callable

from .connection import Connection
from .datagrams import Assembler, CarelessAssembler, Cutter, Panic
from .habits import Habits

DATAGRAM_BYTES_MAX = 65535
SOCKET_BUFFER_BYTES = 4 * 1024 * 1024
PANIC_STATUS = 2

log = logging.getLogger("peer.udp")


def _open(family: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
    return sock


class Channel:
    """A connection's UDP: `on_payload(session, payload)` for what comes. `frag_seq`: both ends announced it."""

    def __init__(self, connection: Connection, habits: Habits, frag_seq: bool, on_payload: Callable[[int, bytes], None]):
        self._connection = connection
        self._cutter = Cutter(habits.datagram_bytes_max, habits.escapes)
        self._assembler = Assembler(frag_seq) if habits.escapes else CarelessAssembler()
        self._on_payload = on_payload
        connection.on_datagram = self._received

    def send(self, session: int, payload: bytes) -> None:
        self._connection.send_datagrams(self._cutter.cut(session, payload))

    def _received(self, datagram: bytes) -> None:
        try:
            complete = self._assembler.add(datagram)
        except (Panic, AssertionError) as error:
            log.critical("panic: %s", error)
            os._exit(PANIC_STATUS)
        if complete is not None:
            self._on_payload(*complete)


class ClientUdp:
    """A local socket for each session that the server names."""

    def __init__(self, connection: Connection, habits: Habits, frag_seq: bool, service: tuple[str, int]):
        self._channel = Channel(connection, habits, frag_seq, self._deliver)
        self._service = service
        self._sockets: dict[int, socket.socket] = {}

    def close(self) -> None:
        for sock in self._sockets.values():
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        self._sockets.clear()

    def _deliver(self, session: int, payload: bytes) -> None:
        sock = self._sockets.get(session)
        if sock is None:
            sock = self._sockets[session] = _open(socket.AF_INET6 if ":" in self._service[0] else socket.AF_INET)
            sock.connect(self._service)
            asyncio.get_running_loop().add_reader(sock, self._answered, session, sock)
            log.info("session %d", session)
        with contextlib.suppress(OSError):
            sock.send(payload)

    def _answered(self, session: int, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._channel.send(session, sock.recv(DATAGRAM_BYTES_MAX))


class ServerUdp:
    """The traffic address. `choose()` gives the connection for a new visitor, or None."""

    def __init__(self, traffic: tuple[str, int], habits: Habits, choose: Callable[[], Connection | None]):
        self._habits = habits
        self._choose = choose
        self._channels: dict[Connection, Channel] = {}
        self._sessions: dict[tuple, tuple[Connection, int]] = {}
        self._visitors: dict[int, tuple] = {}
        self._session_ids = itertools.count(1)
        self._socket = _open(socket.AF_INET6 if ":" in traffic[0] else socket.AF_INET)
        self._socket.bind(traffic)
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def join(self, connection: Connection, frag_seq: bool) -> None:
        self._channels[connection] = Channel(connection, self._habits, frag_seq, self._answer)

    def leave(self, connection: Connection) -> None:
        del self._channels[connection]
        for visitor, (other, session) in list(self._sessions.items()):
            if other is connection:
                del self._sessions[visitor], self._visitors[session]

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                payload, visitor = self._socket.recvfrom(DATAGRAM_BYTES_MAX)
                self._arrived(visitor, payload)

    def _arrived(self, visitor: tuple, payload: bytes) -> None:
        if visitor not in self._sessions:
            connection = self._choose()
            if connection is None:
                return
            session = next(self._session_ids)
            self._sessions[visitor] = (connection, session)
            self._visitors[session] = visitor
        connection, session = self._sessions[visitor]
        self._channels[connection].send(session, payload)

    def _answer(self, session: int, payload: bytes) -> None:
        visitor = self._visitors.get(session)
        if visitor is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(payload, visitor)
