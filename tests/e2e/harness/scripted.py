# SPDX-License-Identifier: MIT
"""A client and a server whose every move a test decides, on the foreign stack; for what a well-behaved peer never does."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

from aioquic.asyncio.client import connect
from aioquic.asyncio.server import serve

from peer import messages
from peer.connection import Connection, Stream, configuration
from peer.messages import Type

from .certificates import SERVER_NAME
from .tunnel import Tunnel

DEADLINE = 10.0
_client_numbers = itertools.count()


class ScriptedClient:
    """One connection. `tunnels` gives the streams that the server opens, `datagrams` the data of DATAGRAM frames, in order."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self.tunnels: asyncio.Queue[Stream] = asyncio.Queue()
        connection.on_stream = self.tunnels.put_nowait
        self.datagrams: asyncio.Queue[bytes] = asyncio.Queue()
        connection.on_datagram = self.datagrams.put_nowait
        self.control = connection.open_stream()

    async def register(self, **fields) -> dict:
        """Registers as a Go client does unless `fields` say otherwise; returns the RegisterAck."""
        message = {"ClientID": f"scripted-{next(_client_numbers)}", "Version": messages.VERSION,
                   "Capabilities": ["tcp", "udp"]} | fields
        await self.control.write(messages.encode(Type.REGISTER, **message))
        return await within(messages.expect(self.control, Type.REGISTER_ACK))

    async def next_tunnel(self) -> tuple[Stream, dict]:
        stream = await within(self.tunnels.get())
        return stream, await within(messages.expect(stream, Type.NEW_CONN))

    async def next_datagram(self) -> bytes:
        return await within(self.datagrams.get())

    async def wait_closed(self) -> None:
        await within(self.connection.closed.wait())


class ScriptedServer:
    """Admits the one client that comes; then the connection is the test's."""

    def __init__(self):
        self.datagrams: asyncio.Queue[bytes] = asyncio.Queue()
        self._control: asyncio.Queue[Stream] = asyncio.Queue()
        self._connections: asyncio.Queue[Connection] = asyncio.Queue()
        self.connection: Connection
        self.control: Stream
        self.register: dict

    def connected(self, connection: Connection) -> None:
        connection.on_stream = self._control.put_nowait
        connection.on_datagram = self.datagrams.put_nowait
        self._connections.put_nowait(connection)

    async def admit(self, **fields) -> None:
        """Answers the client's Register with `fields` in RegisterAck."""
        self.connection = await within(self._connections.get())
        self.control = await within(self._control.get())
        self.register = await within(messages.expect(self.control, Type.REGISTER))
        await self.control.write(messages.encode(Type.REGISTER_ACK, **({"Success": True, "Message": ""} | fields)))
        # Within one packet aioquic puts DATAGRAM frames first, and none is there for those before the answer.
        await within(self.connection.ping())

    async def next_datagram(self) -> bytes:
        return await within(self.datagrams.get())


@contextlib.asynccontextmanager
async def scripted_server(tunnel: Tunnel) -> AsyncIterator[ScriptedServer]:
    """In the place of the tunnel's server."""
    files = tunnel.credentials
    settings = configuration(is_client=False, alpn=("qmux/1",), certificate=str(files.server_crt),
                             key=str(files.server_key), ca=str(files.ca_crt))
    scripted = ScriptedServer()

    def make_connection(quic, stream_handler=None):
        connection = Connection(quic, ask_certificate=True)
        scripted.connected(connection)
        return connection

    server = await serve(tunnel.host, tunnel.quic_port, configuration=settings, create_protocol=make_connection)
    try:
        yield scripted
    finally:
        server.close()


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
