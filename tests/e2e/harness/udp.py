# SPDX-License-Identifier: MIT
"""A local service and visitors that speak UDP."""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable

from .waiting import wait_until

PAYLOAD_BYTES_MAX = 65507
BUFFER_BYTES = 4 * 1024 * 1024
_WAKE_INTERVAL = 0.1

Answers = Callable[[bytes], Iterable[bytes]]


def echo_datagram(payload: bytes) -> Iterable[bytes]:
    return (payload,)


def udp_socket(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    return sock


class UdpService:
    """Gives what comes to `answers` and sends back what that says, in a thread of its own."""

    def __init__(self, host: str, port: int):
        self.host = host
        self.port = port
        self.answers: Answers = echo_datagram
        self.received: deque[tuple[bytes, tuple]] = deque(maxlen=10_000)
        """What has come lately, and from where."""
        self._down = threading.Event()
        self._thread: threading.Thread | None = None
        self.up()

    def up(self) -> None:
        self._down.clear()
        sock = udp_socket(self.host)
        sock.bind((self.host, self.port))
        sock.settimeout(_WAKE_INTERVAL)
        self._thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
        self._thread.start()

    def down(self) -> None:
        """From now on none holds the port."""
        if self._thread is not None:
            self._down.set()
            self._thread.join()
            self._thread = None

    def sources(self) -> list[tuple]:
        """The addresses from which something has come lately, in order, each once."""
        return list(dict.fromkeys(source for _, source in list(self.received)))

    def wait_for(self, payload: bytes, deadline: float = 10.0) -> None:
        wait_until(lambda: any(payload == other for other, _ in list(self.received)),
                   f"the service gets a payload of {len(payload)} bytes", deadline)

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            while not self._down.is_set():
                with contextlib.suppress(TimeoutError):
                    payload, source = sock.recvfrom(65535)
                    self.received.append((payload, source))
                    for answer in self.answers(payload):
                        with contextlib.suppress(OSError):
                            sock.sendto(answer, source)


class UdpVisitor:
    """A socket of its own, which takes answers from no other address than the one it sends to."""

    def __init__(self, host: str, port: int, timeout: float):
        self.socket = udp_socket(host)
        self.socket.connect((host, port))
        self.socket.settimeout(timeout)

    def __enter__(self) -> "UdpVisitor":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, payload: bytes) -> None:
        self.socket.send(payload)

    def receive(self) -> bytes:
        return self.socket.recv(65535)

    def ask(self, payload: bytes) -> bytes:
        """Sends it and returns the next answer."""
        self.send(payload)
        return self.receive()

    def is_served(self, payload: bytes = b"?") -> bool:
        """Whether an answer comes in time; older ones are out of the way then."""
        with contextlib.suppress(OSError):
            answered = bool(self.ask(payload))
            self.forget_answers()
            return answered
        return False

    def forget_answers(self) -> None:
        timeout = self.socket.gettimeout()
        self.socket.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(65535)
        self.socket.settimeout(timeout)
