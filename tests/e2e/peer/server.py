# SPDX-License-Identifier: MIT
"""The server's role: admits clients into a pool and carries each visitor over a stream to one of them."""

import asyncio
import contextlib
import logging
import secrets
import socket
import time
from dataclasses import dataclass

import aioquic.tls
from aioquic.asyncio.server import serve
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from . import messages
from .config import ServerConfig
from .connection import Connection, Stream, StreamReset, configuration
from .habits import Habits
from .heartbeat import keep_alive
from .messages import Type
from .relay import abort, relay_exactly, relay_until_first_end
from .udp import ServerUdp

REFUSED = 1
BACKLOG = 1024
CAPABILITIES = ("drain", "frag-seq")

log = logging.getLogger("peer.server")


@dataclass(frozen=True, eq=False)
class Member:
    client_id: str
    instance: str | None
    epoch: int
    connection: Connection


class Server:
    def __init__(self, config: ServerConfig, habits: Habits):
        self._config = config
        self._habits = habits
        self._pool: list[Member] = []
        self._next_member = 0
        self._next_conn_id = secrets.randbits(64) if habits.half_close else 1
        self._tasks: set[asyncio.Task] = set()
        self._udp: ServerUdp | None = None

    async def run(self) -> None:
        config = self._config
        settings = configuration(
            is_client=False, alpn=self._habits.alpn,
            certificate=config.tls.certificate, key=config.tls.key, ca=config.tls.ca,
        )

        def make_connection(quic, stream_handler=None):
            connection = Connection(quic, ask_certificate=True)
            connection.on_stream = lambda stream: self._first_stream(connection, stream)
            return connection

        await serve(*config.quic, configuration=settings, create_protocol=make_connection)
        if config.protocol in ("udp", "both"):
            self._udp = ServerUdp(config.traffic, self._habits, self._next_connection)
        if config.protocol in ("tcp", "both"):
            await self._accept_visitors()
        else:
            log.info("listener ready")
            await asyncio.Event().wait()

    async def _accept_visitors(self) -> None:
        traffic = self._config.traffic
        family = socket.AF_INET6 if ":" in traffic[0] else socket.AF_INET
        with socket.create_server(traffic, family=family, backlog=BACKLOG) as listener:
            listener.setblocking(False)
            log.info("listener ready")
            while True:
                visitor, address = await asyncio.get_running_loop().sock_accept(listener)
                visitor.setblocking(False)
                self._start(self._tunnel(visitor, address))

    def _start(self, work) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Clients

    def _first_stream(self, connection: Connection, stream: Stream) -> None:
        connection.on_stream = lambda other: None
        self._start(self._control(connection, stream))

    async def _control(self, connection: Connection, control: Stream) -> None:
        try:
            self._authenticate(connection)
            member = await self._admit(connection, control)
        except (aioquic.tls.Alert, EOFError, StreamReset, messages.ProtocolError, PermissionError) as error:
            log.warning("refused: %s: %s", type(error).__name__, error)
            connection.close(REFUSED, "refused")
            return
        try:
            await keep_alive(control, self._config.heartbeat)
        except (EOFError, StreamReset, TimeoutError, messages.ProtocolError) as error:
            log.warning("client %s gone: %s: %s", member.client_id, type(error).__name__, error)
            connection.close(REFUSED, "heartbeat timeout")
        finally:
            self._remove(member)

    def _authenticate(self, connection: Connection) -> None:
        certificate, chain = connection.peer_certificate()
        if certificate is None:
            raise PermissionError("no client certificate")
        aioquic.tls.verify_certificate(certificate, chain, cafile=self._config.tls.ca)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
            raise PermissionError("certificate is not for clients")

    async def _admit(self, connection: Connection, control: Stream) -> Member:
        fields = await messages.expect(control, Type.REGISTER)
        member = Member(fields["ClientID"], fields.get("Instance"), fields.get("Epoch", 0), connection)
        for other in [other for other in self._pool if other.client_id == member.client_id]:
            if not self._habits.replaces_same_client:
                reason = f"client {member.client_id} already exists in pool"
                await control.write(messages.encode(Type.REGISTER_ACK, Success=False, Message=reason))
                raise PermissionError(reason)
            if other.instance == member.instance and other.epoch < member.epoch:
                self._remove(other)
                other.connection.close(0, "replaced")
        used = [word for word in fields["Capabilities"] if word in CAPABILITIES]
        self._pool.append(member)
        if self._udp is not None:
            self._udp.join(connection, "frag-seq" in used)
        # An answer without capabilities is how a client knows a Go server.
        own = {"Capabilities": used} if self._habits.half_close else {}
        await control.write(messages.encode(Type.REGISTER_ACK, Success=True, Message="registered", **own))
        log.info("client %s registered, capabilities %s", member.client_id, fields["Capabilities"])
        return member

    def _remove(self, member: Member) -> None:
        if member in self._pool:
            self._pool.remove(member)
            if self._udp is not None:
                self._udp.leave(member.connection)

    # Visitors

    def _next_connection(self) -> Connection | None:
        if not self._pool:
            return None
        self._next_member += 1
        return self._pool[self._next_member % len(self._pool)].connection

    async def _tunnel(self, visitor: socket.socket, address: tuple) -> None:
        connection = self._next_connection()
        if connection is None:
            self._turn_away(visitor)
            return
        stream = connection.open_stream()
        with contextlib.suppress(StreamReset):
            await stream.write(self._new_conn(address))
            if self._habits.half_close:
                await relay_exactly(stream, visitor)
            else:
                await relay_until_first_end(stream, visitor)
                stream.finish()
        visitor.close()

    def _new_conn(self, address: tuple) -> bytes:
        conn_id = self._next_conn_id
        self._next_conn_id = secrets.randbits(64) if self._habits.half_close else conn_id + 1
        return messages.encode(
            Type.NEW_CONN, ConnID=conn_id, Protocol="tcp", Timestamp=int(time.time()),
            SourceAddr=_join(address), DestAddr=_join(self._config.traffic),
        )

    def _turn_away(self, visitor: socket.socket) -> None:
        log.warning("no client for a visitor")
        if self._habits.resets:
            abort(visitor)
        else:
            visitor.close()


def _join(address: tuple) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
