# SPDX-License-Identifier: MIT
"""Carries bytes between a TCP socket and a stream, exactly or as the Go programs do it."""

import asyncio
import socket
import struct

from .connection import CONNECTION_LOST, Stream, StreamReset
from .messages import StreamError

READ_BYTES = 64 * 1024


def abort(sock: socket.socket) -> None:
    """Closes with RST."""
    if sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


async def relay_exactly(stream: Stream, sock: socket.socket) -> None:
    """FIN to FIN in each direction alone; RST to RESET_STREAM and STOP_SENDING. Owns the socket."""
    loop = asyncio.get_running_loop()

    async def to_stream():
        while data := await loop.sock_recv(sock, READ_BYTES):
            await stream.write(data)
        stream.finish()

    async def to_socket():
        while data := await stream.read():
            await loop.sock_sendall(sock, data)
        sock.shutdown(socket.SHUT_WR)

    directions = [asyncio.ensure_future(to_stream()), asyncio.ensure_future(to_socket())]
    try:
        await asyncio.gather(*directions)
        sock.close()
    except StreamReset as error:
        await _cancel(directions)
        abort(sock)
        if error.code != CONNECTION_LOST:
            _end_stream(stream)
    except OSError:
        await _cancel(directions)
        abort(sock)
        _end_stream(stream)
    except asyncio.CancelledError:
        await _cancel(directions)
        abort(sock)
        raise


async def relay_until_first_end(stream: Stream, sock: socket.socket) -> None:
    """The Go programs' way: whichever direction ends first, and however, the caller then closes both."""
    loop = asyncio.get_running_loop()

    async def to_stream():
        while data := await loop.sock_recv(sock, READ_BYTES):
            await stream.write(data)

    async def to_socket():
        while data := await stream.read():
            await loop.sock_sendall(sock, data)

    directions = [asyncio.ensure_future(to_stream()), asyncio.ensure_future(to_socket())]
    await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    await _cancel(directions)


def _end_stream(stream: Stream) -> None:
    stream.reset(StreamError.TCP_RESET)
    stream.stop_reading(StreamError.TCP_RESET)


async def _cancel(tasks: list[asyncio.Task]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
