# SPDX-License-Identifier: MIT
"""Heartbeats both ways on a control stream."""

import asyncio
import time

from .config import Heartbeat
from .connection import Stream
from .messages import Type, encode, read


async def keep_alive(control: Stream, heartbeat: Heartbeat) -> None:
    """Sends and expects heartbeats; never returns. Raises TimeoutError, EOFError or StreamReset when the peer is dead."""

    async def send():
        while True:
            await asyncio.sleep(heartbeat.interval)
            await control.write(encode(Type.HEARTBEAT, Timestamp=int(time.time())))

    sender = asyncio.ensure_future(send())
    try:
        while True:
            await _next_heartbeat(control, heartbeat.timeout)
    finally:
        sender.cancel()


async def _next_heartbeat(control: Stream, timeout: float) -> None:
    async with asyncio.timeout(timeout):
        while True:
            kind, _ = await read(control)
            if kind == Type.HEARTBEAT:
                return
