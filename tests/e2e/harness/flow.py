# SPDX-License-Identifier: MIT
"""What a visitor receives over time: how much, whether it is right, and for how long nothing came."""

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Callable

from .waiting import wait_until

_NOTED_GAP = 0.005  # s; shorter ones are not kept


class Flow:
    """Reads a visitor's socket in a thread of its own until it ends."""

    def __init__(self, visitor: socket.socket):
        self.bytes = 0
        self.ended: str | None = None
        """`end` or `reset` once it has ended."""
        self._digest = hashlib.sha256()
        self._visitor = visitor
        self._gaps: list[tuple[float, float]] = []
        self._last = time.monotonic()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def longest_gap(self, since: float) -> float:
        """The longest time between two arrivals, of those that lasted beyond `since`; or the time since the last one."""
        gaps = [end - begin for begin, end in list(self._gaps) if end > since]
        return max([*gaps, 0.0 if self.ended else time.monotonic() - self._last])

    def wait_for(self, count: int, deadline: float = 30.0) -> None:
        """Until `count` bytes have come in all."""
        wait_until(lambda: self.bytes >= count or self.ended, f"{count} bytes arrive", deadline)
        assert self.bytes >= count, f"{self.ended} after {self.bytes} of {count} bytes"

    def goes_on(self, count: int = 1, deadline: float = 30.0) -> None:
        """Until `count` more have come from now on."""
        self.wait_for(self.bytes + count, deadline)

    def digest(self, deadline: float = 60.0) -> str:
        """SHA-256 of everything, once it has ended."""
        wait_until(lambda: self.ended, "the bytes end", deadline)
        assert self.ended == "end"
        return self._digest.hexdigest()

    def _read(self) -> None:
        how = "end"
        try:
            while data := self._visitor.recv(256 * 1024):
                now = time.monotonic()
                if now - self._last > _NOTED_GAP:
                    self._gaps.append((self._last, now))
                self._last = now
                self._digest.update(data)
                self.bytes += len(data)
        except OSError:
            how = "reset"
        self.ended = how


def send_every(interval: float, data: bytes, leave: threading.Event) -> Callable[[socket.socket], None]:
    """The behaviour of one that sends `data` so often, and reads nothing, until it is to leave or is cut."""

    def behave(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not leave.wait(interval):
                sock.sendall(data)

    return behave
