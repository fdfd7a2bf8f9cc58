# SPDX-License-Identifier: MIT
"""One QUIC connection with streams that can be awaited; all knowledge of aioquic's inside is in this file."""

import asyncio
from collections import deque

import aioquic.tls
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration

from .messages import StreamError

UNSENT_BYTES_MAX = 256 * 1024
DATAGRAM_FRAME_BYTES_MAX = 16383
# Over loopback; room for a DATAGRAM frame of 1,400 bytes. aioquic does not look for the path's own size.
PACKET_BYTES_MAX = 1452
CONNECTION_LOST = -1


def _negotiate(supported, offered, exc=None, _strict=aioquic.tls.negotiate):
    """QMux lets a peer that offers no ALPN at all in; aioquic refuses it."""
    if offered is None and supported and isinstance(supported[0], str):
        return None
    return _strict(supported, offered, exc)


aioquic.tls.negotiate = _negotiate


class StreamReset(Exception):
    """The peer reset the stream, or the connection is gone (code CONNECTION_LOST)."""

    def __init__(self, code: int):
        super().__init__("connection lost" if code == CONNECTION_LOST else f"stream reset, code 0x{code:x}")
        self.code = code


class Stream:
    """A bidirectional stream. Reading and writing end independently."""

    def __init__(self, connection: "Connection", stream_id: int):
        self._connection = connection
        self._id = stream_id
        self._received = deque()
        self._changed = asyncio.Event()
        self._ended = False
        self._lost: int | None = None
        self._stopped: int | None = None
        self._send_ended = False

    # What the peer sends

    async def read(self, limit: int = 64 * 1024) -> bytes:
        """Some bytes; empty at the end. Raises StreamReset."""
        while not self._received:
            if self._lost is not None:
                raise StreamReset(self._lost)
            if self._ended:
                return b""
            self._changed.clear()
            await self._changed.wait()
        data = self._received.popleft()
        if len(data) > limit:
            self._received.appendleft(data[limit:])
        return data[:limit]

    async def read_exactly(self, count: int) -> bytes:
        parts = []
        while count > 0:
            part = await self.read(count)
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def stop_reading(self, code: StreamError) -> None:
        if not self._ended and self._lost is None and not self._connection.quic._stream_is_discarded(self._id):
            self._connection.quic.stop_stream(self._id, code)
            self._connection.transmit()

    # What we send

    async def write(self, data: bytes) -> None:
        """Returns when little enough is unsent. Raises StreamReset when the peer wants no more."""
        self._check_writable()
        self._connection.quic.send_stream_data(self._id, data)
        self._connection.transmit()
        while self._unsent_bytes() > UNSENT_BYTES_MAX:
            await self._connection.progress()
            self._check_writable()

    def finish(self) -> None:
        if self._may_send():
            self._send_ended = True
            self._connection.quic.send_stream_data(self._id, b"", end_stream=True)
            self._connection.transmit()

    def reset(self, code: StreamError) -> None:
        if self._may_send():
            self._send_ended = True
            self._connection.quic.reset_stream(self._id, code)
            self._connection.transmit()

    def _may_send(self) -> bool:
        return not self._send_ended and self._stopped is None and self._lost != CONNECTION_LOST

    def _check_writable(self) -> None:
        if self._stopped is not None:
            raise StreamReset(self._stopped)
        if self._lost == CONNECTION_LOST:
            raise StreamReset(self._lost)

    def _unsent_bytes(self) -> int:
        stream = self._connection.quic._streams.get(self._id)
        return len(stream.sender._buffer) if stream is not None else 0

    # What the connection reports

    def on_data(self, data: bytes, end: bool) -> None:
        if data:
            self._received.append(data)
        self._ended = self._ended or end
        self._changed.set()

    def on_reset(self, code: int) -> None:
        self._lost = code
        self._received.clear()
        self._changed.set()

    def on_stop(self, code: int) -> None:
        """STOP_SENDING; aioquic has answered it with RESET_STREAM (RFC 9000 section 3.5)."""
        self._stopped = code

    def forgettable(self) -> bool:
        return self._ended or self._lost is not None


class Connection(QuicConnectionProtocol):
    """`on_stream(stream)` is called for each stream that the peer opens, `on_datagram(data)` for each DATAGRAM frame."""

    def __init__(self, quic, stream_handler=None, *, incoming_streams_max: int = 65536, ask_certificate: bool = False):
        super().__init__(quic)
        self.quic = quic
        self.on_stream = lambda stream: None
        self.on_established = lambda connection: None
        self.on_datagram = lambda data: None
        self.established = asyncio.Event()
        self.closed = asyncio.Event()
        self._streams: dict[int, Stream] = {}
        self._progress = asyncio.Event()
        limit = quic._local_max_streams_bidi
        limit.value = limit.sent = incoming_streams_max
        if ask_certificate:
            self._ask_certificate()

    def _ask_certificate(self) -> None:
        initialize = self.quic._initialize

        def initialize_and_ask(*arguments):
            initialize(*arguments)
            self.quic.tls._request_client_certificate = True

        self.quic._initialize = initialize_and_ask

    def connect(self, addr, transmit: bool = True) -> None:
        super().connect(addr, transmit)
        if self.quic.tls._alpn_protocols:
            # The ClientHello is made: from here on the list says what the server may select, and none is fine.
            self.quic.tls._alpn_protocols = [*self.quic.tls._alpn_protocols, None]

    def peer_certificate(self):
        return self.quic.tls._peer_certificate, self.quic.tls._peer_certificate_chain

    def open_stream(self) -> Stream:
        stream_id = self.quic.get_next_available_stream_id()
        stream = self._streams[stream_id] = Stream(self, stream_id)
        return stream

    def send_datagrams(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            self.quic.send_datagram_frame(datagram)
        self.transmit()

    async def progress(self) -> None:
        """Returns once something has happened on this connection."""
        self._progress.clear()
        await self._progress.wait()

    def quic_event_received(self, event: events.QuicEvent) -> None:
        match event:
            case events.HandshakeCompleted():
                self.established.set()
                self.on_established(self)
            case events.StreamDataReceived():
                self._stream(event.stream_id).on_data(event.data, event.end_stream)
            case events.StreamReset():
                self._stream(event.stream_id).on_reset(event.error_code)
            case events.StopSendingReceived():
                self._stream(event.stream_id).on_stop(event.error_code)
            case events.DatagramFrameReceived():
                self.on_datagram(event.data)
            case events.ConnectionTerminated():
                self.closed.set()
                for stream in self._streams.values():
                    stream.on_reset(CONNECTION_LOST)

    def transmit(self) -> None:
        super().transmit()
        self._forget_closed_streams()
        self._progress.set()

    def _stream(self, stream_id: int) -> Stream:
        stream = self._streams.get(stream_id)
        if stream is None:
            stream = self._streams[stream_id] = Stream(self, stream_id)
            self.on_stream(stream)
        return stream

    def _forget_closed_streams(self) -> None:
        for stream_id in [i for i, stream in self._streams.items() if stream.forgettable()]:
            if self.quic._stream_is_discarded(stream_id):
                del self._streams[stream_id]


def configuration(*, is_client: bool, alpn: tuple[str, ...], certificate: str, key: str, ca: str,
                  server_name: str | None = None) -> QuicConfiguration:
    settings = QuicConfiguration(
        is_client=is_client,
        alpn_protocols=list(alpn) or None,
        max_datagram_frame_size=DATAGRAM_FRAME_BYTES_MAX,
        max_datagram_size=PACKET_BYTES_MAX,
        max_data=15 * 1024 * 1024,
        max_stream_data=6 * 1024 * 1024,
        server_name=server_name,
    )
    settings.load_cert_chain(certificate, key)
    settings.load_verify_locations(ca)
    return settings
