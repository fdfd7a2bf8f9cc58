# SPDX-License-Identifier: MIT
"""Initial packets of clients that a server does not know, in numbers: each has a connection ID of its own, and all the same
ClientHello."""

import os
import time

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.crypto import CryptoPair

QUIC_V1 = (1).to_bytes(4, "big")
INITIAL_BYTES = 1200
TAG_BYTES = 16
ID_BYTES = 8


class Initials:
    """`frames`: what is in each, as far as it is no padding."""

    def __init__(self, frames: bytes, client_id: bytes):
        self._frames = frames
        self._client_id = client_id

    @classmethod
    def with_client_hello(cls, alpn: str) -> "Initials":
        connection = QuicConnection(configuration=QuicConfiguration(is_client=True, alpn_protocols=[alpn]))
        connection.connect(("192.0.2.1", 443), now=time.monotonic())
        datagram = connection.datagrams_to_send(time.monotonic())[0][0]
        at = 6 + datagram[5]
        server_id, client_id = datagram[6:at], datagram[at + 1:at + 1 + datagram[at]]
        at += 1 + len(client_id)
        assert datagram[at] == 0, "no token"
        end = at + 3 + (int.from_bytes(datagram[at + 1:at + 3], "big") & 0x3FFF)
        keys = CryptoPair()
        keys.setup_initial(server_id, is_client=False, version=1)
        _, frames, _ = keys.decrypt_packet(datagram[:end], at + 3, 0)
        return cls(frames.rstrip(b"\0"), client_id)

    @classmethod
    def with_garbage(cls) -> "Initials":
        """What they hold in place of a ClientHello says that it is one."""
        garbage = b"\x01\x00\x03\xe4" + os.urandom(996)
        return cls(b"\x06\x00" + (0x4000 | len(garbage)).to_bytes(2, "big") + garbage, os.urandom(ID_BYTES))

    @classmethod
    def with_gaps(cls, alpn: str) -> "Initials":
        """Behind the ClientHello single bytes, far apart."""
        whole = cls.with_client_hello(alpn)
        pieces = b"".join(b"\x06" + (0x80000000 | offset).to_bytes(4, "big") + b"\x01?" for offset in range(4096, 65536, 8192))
        return cls(whole._frames + pieces, whole._client_id)

    def make(self, server_id: bytes | None = None, token: bytes = b"", number: int = 0) -> bytes:
        server_id = server_id or os.urandom(ID_BYTES)
        header = (b"\xc1" + QUIC_V1 + bytes([len(server_id)]) + server_id + bytes([len(self._client_id)]) +
                  self._client_id + (0x4000 | len(token)).to_bytes(2, "big") + token)
        padding = INITIAL_BYTES - len(header) - 4 - len(self._frames) - TAG_BYTES
        frames = self._frames + bytes(max(0, padding))
        header += (0x4000 | (2 + len(frames) + TAG_BYTES)).to_bytes(2, "big") + number.to_bytes(2, "big")
        keys = CryptoPair()
        keys.setup_initial(server_id, is_client=True, version=1)
        return keys.encrypt_packet(header, frames, number)

    def answer(self, retry: bytes) -> bytes:
        """The Initial that follows a Retry packet (RFC 9000 section 17.2.5.3)."""
        at = 6 + retry[5]
        server_id = retry[at + 1:at + 1 + retry[at]]
        return self.make(server_id, retry[at + 1 + len(server_id):-TAG_BYTES], number=1)


def is_retry(datagram: bytes) -> bool:
    return datagram[0] & 0xF0 == 0xF0
