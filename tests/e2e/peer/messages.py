# SPDX-License-Identifier: MIT
"""Control messages: `uint8 type | uint32be length | JSON of that length`."""

import json
import struct
from enum import IntEnum

HEADER = struct.Struct("!BI")
MESSAGE_BYTES_MAX = 64 * 1024
VERSION = "1.0"


class Type(IntEnum):
    REGISTER = 0x01
    REGISTER_ACK = 0x02
    HEARTBEAT = 0x03
    NEW_CONN = 0x04
    CONN_CLOSE = 0x06
    GO_AWAY = 0x07
    UDP_END = 0x08
    ERROR = 0xFF


class StreamError(IntEnum):
    """Application error codes on a stream."""

    DIAL_FAILED = 0x10
    TCP_RESET = 0x11
    GOING_AWAY = 0x12
    LIMIT_REACHED = 0x13
    INTERNAL = 0x14


class ProtocolError(Exception):
    """The peer sent something that is no message, or not the one that belongs here."""


def encode(kind: Type, **fields) -> bytes:
    body = json.dumps(fields, separators=(",", ":")).encode()
    return HEADER.pack(kind, len(body)) + body


async def read(stream) -> tuple[int, dict]:
    """The next message on `stream`, whatever its type. Raises EOFError at a clean end between messages."""
    kind, length = HEADER.unpack(await stream.read_exactly(HEADER.size))
    if length > MESSAGE_BYTES_MAX:
        raise ProtocolError(f"message of {length} bytes, type 0x{kind:02x}")
    try:
        fields = json.loads(await stream.read_exactly(length))
    except ValueError as error:
        raise ProtocolError(f"body of message type 0x{kind:02x}: {error}") from error
    if not isinstance(fields, dict):
        raise ProtocolError(f"body of message type 0x{kind:02x} is no object")
    return kind, fields


async def expect(stream, kind: Type) -> dict:
    """The next message, which must be of this type."""
    got, fields = await read(stream)
    if got != kind:
        raise ProtocolError(f"expected {kind.name}, got type 0x{got:02x}")
    return fields
