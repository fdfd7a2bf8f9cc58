# SPDX-License-Identifier: MIT
"""A client whose every move a test decides, on the foreign stack; for what a well-behaved peer never does."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

from aioquic.asyncio.client import connect

from peer import messages
from peer.connection import Connection, Stream, configuration
from peer.messages import Type

from .certificates import SERVER_NAME
from .tunnel import Tunnel

DEADLINE = 10.0
_client_numbers = itertools.count()


class ScriptedClient:
    """One connection. `tunnels` gives the streams that the server opens, in order."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self.tunnels: asyncio.Queue[Stream] = asyncio.Queue()
        connection.on_stream = self.tunnels.put_nowait
        self.control = connection.open_stream()

    async def register(self, **fields) -> dict:
        """Registers as an existing client does unless `fields` say otherwise; returns the RegisterAck."""
        message = {"ClientID": f"scripted-{next(_client_numbers)}", "Version": messages.VERSION,
                   "Capabilities": ["tcp", "udp"]} | fields
        await self.control.write(messages.encode(Type.REGISTER, **message))
        return await within(messages.expect(self.control, Type.REGISTER_ACK))

    async def next_tunnel(self) -> tuple[Stream, dict]:
        stream = await within(self.tunnels.get())
        return stream, await within(messages.expect(stream, Type.NEW_CONN))

    async def wait_closed(self) -> None:
        await within(self.connection.closed.wait())


@contextlib.asynccontextmanager
async def scripted_client(tunnel: Tunnel, alpn: tuple[str, ...] = (), streams_max: int = 100) -> AsyncIterator[ScriptedClient]:
    files = tunnel.credentials
    settings = configuration(is_client=True, alpn=alpn, server_name=SERVER_NAME, certificate=str(files.client_crt),
                             key=str(files.client_key), ca=str(files.ca_crt))

    def make_connection(quic, stream_handler=None):
        return Connection(quic, incoming_streams_max=streams_max)

    async with connect(tunnel.host, tunnel.quic_port, configuration=settings, create_protocol=make_connection) as made:
        yield ScriptedClient(made)


async def within(work, deadline: float = DEADLINE):
    async with asyncio.timeout(deadline):
        return await work


class Visitor:
    """A visitor for tests that run in the event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def arrive(cls, tunnel: Tunnel) -> "Visitor":
        return cls(*await within(asyncio.open_connection(tunnel.host, tunnel.traffic_port)))

    async def read_to_end(self) -> bytes:
        return await within(self.reader.read())

    async def read_exactly(self, count: int) -> bytes:
        return await within(self.reader.readexactly(count))

    def leave(self) -> None:
        self.writer.close()
