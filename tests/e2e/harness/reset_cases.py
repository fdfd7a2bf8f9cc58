# SPDX-License-Identifier: MIT
"""Services that answer and then reset, and visitors who note what they get: with a tunnel between the two, or without."""

import fcntl
import os
import socket
import struct
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass

from .service import Behaviour, abort
from .waiting import wait_until

KIB = 1024
_READ_BYTES = 16 * KIB
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Outcome:
    """What one side of a connection got, and how it ended for it."""

    received: bytes
    end: str
    """`reset`, or `end` for FIN."""


def wait_until_acknowledged(sock: socket.socket) -> None:
    """Until the far kernel has all that was sent."""

    def unacknowledged() -> int:
        return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0]

    wait_until(lambda: unacknowledged() == 0, "the far end has acknowledged everything", _TIMEOUT)


def answer_over_unread(answer: bytes) -> Behaviour:
    """Answers as soon as a request begins, and closes with the rest of it unread: an early refusal."""

    def behave(sock: socket.socket) -> None:
        sock.recv(1, socket.MSG_PEEK)
        sock.sendall(answer)
        sock.close()

    return behave


def answer_then_abort(answer: bytes) -> Behaviour:
    """Answers, has everything acknowledged, and resets."""

    def behave(sock: socket.socket) -> None:
        sock.recv(1)
        sock.sendall(answer)
        wait_until_acknowledged(sock)
        abort(sock)

    return behave


def take(sock: socket.socket, pause: Callable[[], None] = lambda: None, met_reset: bool = False) -> Outcome:
    """Reads to the end. `met_reset`: a write has met the reset, so the kernel does not report it to a read."""
    received = bytearray()
    while True:
        try:
            part = sock.recv(_READ_BYTES)
        except ConnectionResetError:
            return Outcome(bytes(received), "reset")
        if not part:
            return Outcome(bytes(received), "reset" if met_reset else "end")
        received += part
        pause()


def pausing(seconds: float) -> Callable[[], None]:
    """The pause of a slow reader."""
    return lambda: time.sleep(seconds)


def ask(sock: socket.socket, request: bytes, pause: Callable[[], None] = lambda: None) -> Outcome:
    """Sends what it can of the request and reads what comes."""
    met_reset = False
    try:
        sock.sendall(request)
    except (ConnectionResetError, BrokenPipeError):
        met_reset = True
    return take(sock, pause, met_reset)


def answer_of(size: int) -> bytes:
    return os.urandom(size)
