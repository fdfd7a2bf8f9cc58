# SPDX-License-Identifier: MIT
"""A stretch of network between a client and a server, in user space: delay, loss, a NAT that forgets.

A thread forwards UDP datagrams between the port that the client is given and the server's. To the server, the client's
address is the link's outer socket: `rebind` replaces that socket, as a NAT does that has lost its mapping.
"""

import heapq
import itertools
import random
import selectors
import socket
import threading
import time

_DATAGRAM_BYTES_MAX = 65535
_SOCKET_BUFFER_BYTES = 4 * 1024 * 1024
_IDLE_WAIT = 0.05


class Link:
    """Owns its sockets and its thread. One client at a time."""

    def __init__(self, server: tuple[str, int], *, delay: float = 0.0, loss: float = 0.0, seed: int = 1):
        self._server = server
        self._delay = delay
        self._loss = loss
        self._random = random.Random(seed)
        self._client: tuple | None = None
        self._in_flight: list = []
        self._sequence = itertools.count()
        self._closing = threading.Event()
        self._rebind = threading.Event()
        self._lose_in_flight = False
        self.rebindings = 0
        self.captured: list[bytes] = []
        """The first datagrams in both directions, for tests that send them again."""
        self.captured_to_server: list[bytes] = []
        """Those of them that come from the client."""
        self._inner = self._socket()
        self._inner.bind((server[0], 0))
        self._outer = self._socket()
        self.port = self._inner.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def rebind(self, lose_in_flight: bool = False) -> None:
        """From the next datagram on the server sees another port. `lose_in_flight`: what is on its way now does not arrive, as
        when the NAT is the first thing on the client's way."""
        before = self.rebindings
        self._lose_in_flight = lose_in_flight
        self._rebind.set()
        while self.rebindings == before:
            time.sleep(0.001)

    def send_to_client(self, datagram: bytes) -> None:
        """As if it came from the server."""
        assert self._client is not None
        self._inner.sendto(datagram, self._client)

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._inner.close()
        self._outer.close()

    def _socket(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._server[0] else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER_BYTES)
        sock.setblocking(False)
        return sock

    def _run(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(self._inner, selectors.EVENT_READ)
        selector.register(self._outer, selectors.EVENT_READ)
        while not self._closing.is_set():
            if self._rebind.is_set():
                self._rebind.clear()
                selector.unregister(self._outer)
                self._outer.close()
                self._outer = self._socket()
                selector.register(self._outer, selectors.EVENT_READ)
                if self._lose_in_flight:
                    self._in_flight.clear()
                self.rebindings += 1
            for key, _ in selector.select(self._wait()):
                self._take(key.fileobj)
            self._deliver()

    def _wait(self) -> float:
        if not self._in_flight:
            return _IDLE_WAIT
        return min(_IDLE_WAIT, max(0.0, self._in_flight[0][0] - time.monotonic()))

    def _take(self, sock: socket.socket) -> None:
        while True:
            try:
                datagram, sender = sock.recvfrom(_DATAGRAM_BYTES_MAX)
            except OSError:
                return
            if sock is self._inner:
                self._client = sender
            if len(self.captured) < 200:
                self.captured.append(datagram)
                if sock is self._inner:
                    self.captured_to_server.append(datagram)
            if self._random.random() >= self._loss:
                due = time.monotonic() + self._delay
                heapq.heappush(self._in_flight, (due, next(self._sequence), sock is self._inner, datagram))

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._in_flight and self._in_flight[0][0] <= now:
            _, _, to_server, datagram = heapq.heappop(self._in_flight)
            try:
                if to_server:
                    self._outer.sendto(datagram, self._server)
                elif self._client is not None:
                    self._inner.sendto(datagram, self._client)
            except OSError:
                # A full buffer or a port that none holds: the network loses such datagrams as well.
                pass
