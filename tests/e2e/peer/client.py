# SPDX-License-Identifier: MIT
"""The client's role: registers, accepts tunnel streams and joins each to a connection to the local service."""

import asyncio
import contextlib
import logging
import secrets
import socket

from aioquic.asyncio.client import connect

from . import messages
from .config import ClientConfig
from .connection import Connection, Stream, StreamReset, configuration
from .habits import Habits
from .heartbeat import keep_alive
from .messages import StreamError, Type
from .relay import relay_exactly, relay_until_first_end
from .udp import ClientUdp

DIAL_TIMEOUT = 5.0
RECONNECT_DELAY = 0.2

log = logging.getLogger("peer.client")


class Client:
    def __init__(self, config: ClientConfig, habits: Habits):
        self._config = config
        self._habits = habits
        self._instance = secrets.token_hex(16)
        self._epoch = 0
        self._tunnels: set[asyncio.Task] = set()

    async def run(self) -> None:
        while True:
            try:
                await self._serve_one_connection()
            except (ConnectionError, EOFError, OSError, StreamReset, TimeoutError, messages.ProtocolError) as error:
                log.warning("connection ended: %s: %s", type(error).__name__, error)
            await asyncio.sleep(RECONNECT_DELAY)

    async def _serve_one_connection(self) -> None:
        config = self._config
        log.info("connecting")
        settings = configuration(
            is_client=True, alpn=self._habits.alpn, server_name=config.server_name,
            certificate=config.tls.certificate, key=config.tls.key, ca=config.tls.ca,
        )

        def make_connection(quic, stream_handler=None):
            connection = Connection(quic, incoming_streams_max=self._habits.incoming_streams_max)
            if self._epoch == 0 or self._habits.serves_after_reconnect:
                connection.on_stream = self._accept
            return connection

        async with connect(*config.server, configuration=settings, create_protocol=make_connection) as connection:
            control = connection.open_stream()
            used = await self._register(control)
            self._epoch += 1
            udp = ClientUdp(connection, self._habits, "frag-seq" in used, config.local)
            try:
                await keep_alive(control, config.heartbeat)
            finally:
                udp.close()
                await self._end_tunnels()

    async def _register(self, control: Stream) -> list[str]:
        """Returns the capabilities that the server will use."""
        own = {"Capabilities": ["tcp", "udp"]}
        if self._habits.replaces_same_client:
            own = {"Capabilities": ["tcp", "udp", "drain", "frag-seq"], "Instance": self._instance, "Slot": 0,
                   "Epoch": self._epoch}
        await control.write(messages.encode(
            Type.REGISTER, ClientID=self._config.client_id, Version=messages.VERSION, **own,
        ))
        ack = await messages.expect(control, Type.REGISTER_ACK)
        if not ack["Success"]:
            raise ConnectionRefusedError(ack["Message"])
        log.info("registered: %s", ack["Message"])
        return ack.get("Capabilities", [])

    def _accept(self, stream: Stream) -> None:
        tunnel = asyncio.ensure_future(self._tunnel(stream))
        self._tunnels.add(tunnel)
        tunnel.add_done_callback(self._tunnels.discard)

    async def _end_tunnels(self) -> None:
        for tunnel in self._tunnels:
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    async def _tunnel(self, stream: Stream) -> None:
        with contextlib.suppress(EOFError, StreamReset):
            new_conn = await messages.expect(stream, Type.NEW_CONN)
            log.info("tunnel %d from %s", new_conn["ConnID"], new_conn["SourceAddr"])
            try:
                sock = await self._dial()
            except (OSError, TimeoutError) as error:
                log.warning("dial failed: %s", error)
                await self._refuse(stream, new_conn["ConnID"], error)
                return
            if self._habits.half_close:
                await relay_exactly(stream, sock)
            else:
                with sock:
                    await relay_until_first_end(stream, sock)
                await self._trail(stream, new_conn["ConnID"], "closed")

    async def _dial(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(DIAL_TIMEOUT):
            family, kind, protocol, _, address = (await loop.getaddrinfo(*self._config.local, type=socket.SOCK_STREAM))[0]
            sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            try:
                await loop.sock_connect(sock, address)
            except BaseException:
                sock.close()
                raise
            return sock

    async def _refuse(self, stream: Stream, conn_id: int, error: Exception) -> None:
        if self._habits.resets:
            stream.reset(StreamError.DIAL_FAILED)
            stream.stop_reading(StreamError.DIAL_FAILED)
        else:
            await self._trail(stream, conn_id, f"dial failed: {error}")

    async def _trail(self, stream: Stream, conn_id: int, reason: str) -> None:
        """The Go client's end of a tunnel: a ConnClose among the data, then FIN."""
        if self._habits.conn_close_trailer:
            await stream.write(messages.encode(Type.CONN_CLOSE, ConnID=conn_id, Reason=reason))
        stream.finish()
