# SPDX-License-Identifier: MIT
"""Visitors that come at a steady rate, whether those before them have been served or not, and how each of them fared."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .waiting import pass_time

SLOW_SECONDS = 1.0


@dataclass(frozen=True)
class Visit:
    began: float
    seconds: float
    failure: str | None
    """What went wrong; None for a visitor that was served."""

    @property
    def slow(self) -> bool:
        return self.failure is None and self.seconds > SLOW_SECONDS


class Crowd:
    """`visit` is called `per_second` times a second, each time in a thread of its own. It raises when a visitor is not served."""

    def __init__(self, visit: Callable[[], None], per_second: float):
        self._visit = visit
        self._interval = 1 / per_second
        self._lock = threading.Lock()
        self._visits: list[Visit] = []
        self._threads: list[threading.Thread] = []
        self._leaving = threading.Event()
        self.began = time.monotonic()
        self._source = threading.Thread(target=self._send, daemon=True)
        self._source.start()

    def after(self, seconds: float) -> None:
        """Returns when it has lasted for so long."""
        pass_time(self.began + seconds - time.monotonic())

    def finish(self, deadline: float = 40.0) -> "Outcome":
        """No more come; returns when the last one has been served or has failed."""
        self._leaving.set()
        self._source.join()
        end = time.monotonic() + deadline
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
            assert not thread.is_alive(), f"a visitor is still being served after {deadline:g} s"
        return Outcome(sorted(self._visits, key=lambda visit: visit.began))

    def _send(self) -> None:
        number = 0
        while not self._leaving.wait(max(0.0, self.began + number * self._interval - time.monotonic())):
            thread = threading.Thread(target=self._try, daemon=True)
            self._threads.append(thread)
            thread.start()
            number += 1

    def _try(self) -> None:
        began, failure = time.monotonic(), None
        try:
            self._visit()
        except (OSError, EOFError, ValueError) as error:
            failure = f"{type(error).__name__}: {error}"
        with self._lock:
            self._visits.append(Visit(began, time.monotonic() - began, failure))


def under_load(visit: Callable[[], None], change: Callable[[], None], after: Callable[[], None] | None = None, *,
               per_second: float, lead: float, tail: float) -> "tuple[float, Outcome]":
    """Calls `change` `lead` seconds after the first visitor came, and `after` when others have come for `tail` seconds. Returns
    the moment of the change."""
    crowd = Crowd(visit, per_second)
    crowd.after(lead)
    moment = time.monotonic()
    try:
        change()
        crowd.after(moment - crowd.began + tail)
    finally:
        if after:
            after()
    return moment, crowd.finish()


class Outcome:
    """How visitors fared, in the order in which they came."""

    def __init__(self, visits: list[Visit]):
        self.visits = visits

    def since(self, moment: float) -> "Outcome":
        """That of the visitors that came at `moment` or later."""
        return Outcome([visit for visit in self.visits if visit.began >= moment])

    @property
    def failures(self) -> list[str]:
        return [visit.failure for visit in self.visits if visit.failure]

    @property
    def slow(self) -> list[Visit]:
        return [visit for visit in self.visits if visit.slow]

    @property
    def longest(self) -> float:
        """Seconds of the visitor that was served last."""
        return max((visit.seconds for visit in self.visits if not visit.failure), default=0.0)

    def __str__(self) -> str:
        kinds = ", ".join(f"{self.failures.count(kind)} {kind}" for kind in sorted(set(self.failures)))
        return (f"{len(self.visits)} visitors, {len(self.failures)} failed{f' ({kinds})' if kinds else ''}, "
                f"{len(self.slow)} waited for more than {SLOW_SECONDS:g} s, the longest for {self.longest:.2f} s")
