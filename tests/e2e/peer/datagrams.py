# SPDX-License-Identifier: MIT
"""UDP payloads in QUIC datagrams: `uint32be session | payload`, or parts of one."""

import itertools
import secrets
import struct
import time

SESSION = struct.Struct("!I")
PART = struct.Struct("!IHBBB")
FRAGMENTED, MORE = 0x80, 0x01
PARTS_MAX = 255
ESCAPE_ID = 0
REASSEMBLY_TIME = 5.0
IDS_AHEAD_MAX = 8192
PAYLOAD_BYTES_MAX = 65507


class Panic(Exception):
    """What a Go program dies of."""


def bears_mark(datagram: bytes) -> bool:
    """What a Go receiver takes for a part."""
    return len(datagram) >= PART.size and bool(datagram[6] & FRAGMENTED)


def is_part(datagram: bytes) -> bool:
    """What a sender may have made as a part."""
    if not bears_mark(datagram):
        return False
    _, _, flags, index, total = PART.unpack_from(datagram)
    return index < total and flags == (FRAGMENTED | MORE if index + 1 < total else FRAGMENTED)


class Cutter:
    """Payloads to datagrams of at most `datagram_bytes_max` bytes."""

    def __init__(self, datagram_bytes_max: int, escapes: bool):
        self._room = datagram_bytes_max
        self._escapes = escapes
        # Between 1 and 65,535: id 0 is for escapes.
        self._ids = itertools.cycle(range(1, 65536)) if not escapes else _ids_from(secrets.randbelow(65535))

    def cut(self, session: int, payload: bytes) -> list[bytes]:
        bare = SESSION.pack(session) + payload
        if self._escapes and bears_mark(bare):
            if len(payload) + PART.size <= self._room:
                return [PART.pack(session, ESCAPE_ID, FRAGMENTED, 0, 1) + payload]
        elif len(bare) <= self._room:
            return [bare]
        step = self._room - PART.size
        parts = [payload[at:at + step] for at in range(0, len(payload), step)]
        if len(parts) > PARTS_MAX:
            return []
        number = next(self._ids)
        return [
            PART.pack(session, number, FRAGMENTED | (MORE if index + 1 < len(parts) else 0), index, len(parts)) + part
            for index, part in enumerate(parts)
        ]


def _ids_from(start: int):
    while True:
        yield 1 + start % 65535
        start += 1


class Group:
    """The parts of one payload that have come."""

    def __init__(self, session: int, total: int):
        self.session = session
        self.total = total
        self.parts: dict[int, bytes] = {}
        self.since = time.monotonic()

    def joined(self) -> bytes | None:
        if len(self.parts) < self.total:
            return None
        return b"".join(self.parts[index] for index in range(self.total))


class Assembler:
    """Datagrams to payloads, as the protocol is written. `sender_escapes`: frag-seq is in use."""

    def __init__(self, sender_escapes: bool):
        self.sender_escapes = sender_escapes
        self._groups: dict[tuple[int, int], Group] = {}

    def add(self, datagram: bytes) -> tuple[int, bytes] | None:
        """A session and a payload of its that is complete now."""
        if len(datagram) < SESSION.size:
            return None
        (session,) = SESSION.unpack_from(datagram)
        if not is_part(datagram):
            assert not (self.sender_escapes and bears_mark(datagram)), "a sender of frag-seq escapes"
            return session, datagram[SESSION.size:]
        _, number, _, index, total = PART.unpack_from(datagram)
        part = datagram[PART.size:]
        self._expire(number)
        key = (session, number)
        group = self._groups.get(key)
        if group is None or group.total != total or group.parts.get(index, part) != part:
            group = self._groups[key] = Group(session, total)
        group.parts[index] = part
        payload = group.joined()
        if payload is None:
            return None
        del self._groups[key]
        assert len(payload) <= PAYLOAD_BYTES_MAX
        return session, payload

    def _expire(self, number: int) -> None:
        now = time.monotonic()
        for key, group in list(self._groups.items()):
            ahead = (number - key[1]) % 65536
            if now - group.since > REASSEMBLY_TIME or (self.sender_escapes and IDS_AHEAD_MAX <= ahead <= 32768):
                del self._groups[key]


class CarelessAssembler:
    """As the Go programs do it: whatever bears the mark is a part, and groups are known by id alone."""

    def __init__(self):
        self._groups: dict[int, Group] = {}

    def add(self, datagram: bytes) -> tuple[int, bytes] | None:
        if len(datagram) < SESSION.size:
            return None
        if not bears_mark(datagram):
            return SESSION.unpack_from(datagram)[0], datagram[SESSION.size:]
        session, number, _, index, total = PART.unpack_from(datagram)
        if index >= total:
            return None
        group = self._groups.setdefault(number, Group(session, total))
        if group.session != session:
            if time.monotonic() - group.since > 2 * REASSEMBLY_TIME:
                del self._groups[number]
            return None
        if index >= group.total:
            raise Panic(f"index {index} of group {number}, which has {group.total} parts")
        group.parts.setdefault(index, datagram[PART.size:])
        payload = group.joined()
        if payload is None:
            return None
        del self._groups[number]
        return session, payload
