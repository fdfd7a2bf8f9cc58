# SPDX-License-Identifier: MIT
"""Waiting for something to become true, with a deadline."""

import time
from collections.abc import Callable

POLL_INTERVAL = 0.02


def pass_time(seconds: float) -> None:
    """For what is measured while time passes; to wait for an event there is wait_until()."""
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began >= seconds, "time passes", seconds + 5)


def wait_until(condition: Callable[[], object], what: str, deadline: float = 10.0):
    """The first truthy value of `condition`; fails when there is none within `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:g} s: {what}")
        time.sleep(POLL_INTERVAL)
