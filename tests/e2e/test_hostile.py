# SPDX-License-Identifier: MIT
"""What anyone can send to a public port: the server answers by the rules or not at all, and serves on."""

import os
import random
import socket
import struct

import pytest

from harness.link import Link
from harness.programs import OURS, OWN
from harness.service import read_exactly
from harness.tunnel import Tunnel
from harness.waiting import wait_until

QUIC_V1 = 1
INITIAL_BYTES_MIN = 1200
GROWTH_BYTES_MAX = 16 * 1024 * 1024
ROUNDS = 3000


def long_header(version: int, packet_type: int, dcid: bytes, scid: bytes) -> bytes:
    first = 0xC0 | packet_type << 4 | random.randrange(16)
    return struct.pack("!BI", first, version) + bytes([len(dcid)]) + dcid + bytes([len(scid)]) + scid


def garbage() -> bytes:
    """A datagram that is no packet, or only looks like the beginning of one."""
    size = random.choice([0, 1, 5, 20, 21, 40, 1199, INITIAL_BYTES_MIN, 1452, 8000])
    match random.randrange(5):
        case 0:
            start = b""
        case 1:
            start = bytes([0x40 | random.randrange(64)])
        case 2:
            start = long_header(QUIC_V1, random.randrange(4), os.urandom(8), os.urandom(8))
        case 3:
            start = long_header(random.getrandbits(32), random.randrange(4), os.urandom(20), os.urandom(20))
        case _:
            start = struct.pack("!BIB", 0xC0, QUIC_V1, 255)
    return start + os.urandom(max(0, size - len(start)))


def damage(datagram: bytes) -> bytes:
    spoiled = bytearray(datagram)
    for _ in range(random.randint(1, 4)):
        spoiled[random.randrange(len(spoiled))] ^= 1 << random.randrange(8)
    return bytes(spoiled[:random.randint(1, len(spoiled))] if random.random() < 0.3 else spoiled)


def assert_serves_on(tunnel: Tunnel, visitor: socket.socket, resident_before: int) -> None:
    visitor.sendall(b"still here")
    assert read_exactly(visitor, 10) == b"still here"
    assert tunnel.serves()
    assert tunnel.server.resident_bytes() - resident_before < GROWTH_BYTES_MAX


def test_garbage_on_the_quic_port_disturbs_none(tunnel: Tunnel):
    random.seed(20)
    before = tunnel.server.resident_bytes()
    with tunnel.visit() as visitor, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(ROUNDS):
            sock.sendto(garbage(), (tunnel.host, tunnel.quic_port))
        assert_serves_on(tunnel, visitor, before)


def test_damaged_and_repeated_packets_disturb_none(make_tunnel):
    random.seed(21)
    tunnel = make_tunnel(OWN)
    link = Link((tunnel.host, tunnel.quic_port))
    tunnel.client_settings["server"]["servers"][0]["address"] = tunnel.address(link.port)
    tunnel.start().wait_until_serving()
    before = tunnel.server.resident_bytes()
    with tunnel.visit() as visitor, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for number in range(ROUNDS):
            datagram = random.choice(link.captured)
            sock.sendto(datagram if number % 4 == 0 else damage(datagram), (tunnel.host, tunnel.quic_port))
        assert_serves_on(tunnel, visitor, before)
    link.close()


def test_garbage_at_the_clients_port_disturbs_none(make_tunnel):
    random.seed(22)
    tunnel = make_tunnel(OWN).start()
    with tunnel.visit() as visitor, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for port in client_ports(tunnel):
            for _ in range(ROUNDS // 10):
                sock.sendto(garbage(), (tunnel.host, port))
        visitor.sendall(b"still here")
        assert read_exactly(visitor, 10) == b"still here"
    assert tunnel.alive()


def client_ports(tunnel: Tunnel) -> list[int]:
    """UDP ports that the client holds, by /proc."""
    inodes = set()
    for entry in os.listdir(f"/proc/{tunnel.client.pid}/fd"):
        try:
            inodes.add(os.readlink(f"/proc/{tunnel.client.pid}/fd/{entry}"))
        except FileNotFoundError:
            continue
    ports = []
    for table in ("udp", "udp6"):
        with open(f"/proc/{tunnel.client.pid}/net/{table}", encoding="ascii") as file:
            for fields in map(str.split, file.readlines()[1:]):
                if f"socket:[{fields[9]}]" in inodes:
                    ports.append(int(fields[1].rpartition(":")[2], 16))
    assert ports, "the client holds a UDP port"
    return ports


def test_unknown_version_is_answered_by_version_negotiation(tunnel: Tunnel):
    """RFC 9000 section 6; a datagram too small for an Initial is not answered."""
    dcid, scid = os.urandom(8), os.urandom(8)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect((tunnel.host, tunnel.quic_port))
        sock.send(long_header(0x1A2A3A4A, 0, dcid, scid).ljust(INITIAL_BYTES_MIN - 1, b"\0"))
        sock.send(long_header(0x1A2A3A4A, 0, dcid, scid).ljust(INITIAL_BYTES_MIN, b"\0"))
        answer = sock.recv(2000)
        assert answer[0] & 0x80 and answer[1:5] == bytes(4)
        assert answer[5:6] + answer[6:14] == bytes([8]) + scid, "the IDs come back exchanged"
        assert answer[14:15] + answer[15:23] == bytes([8]) + dcid
        versions = [value for (value,) in struct.iter_unpack("!I", answer[23:])]
        assert QUIC_V1 in versions
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.recv(2000)


def test_unknown_connection_gets_a_stateless_reset_smaller_than_its_packet(tunnel: Tunnel):
    """RFC 9000 section 10.3: a short-header packet of no connection we have; never larger than what asked for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.3)
        sock.connect((tunnel.host, tunnel.quic_port))

        def ask() -> bytes | None:
            sock.send(bytes([0x40]) + os.urandom(199))
            try:
                return sock.recv(2000)
            except TimeoutError:
                return None

        # There are only so many a second, and another test may have used them up.
        answer = wait_until(ask, "a stateless reset")
        assert 21 <= len(answer) < 200
        assert answer[0] & 0xC0 == 0x40, "looks like a packet with a short header"


def test_visitors_garbage_reaches_the_service_and_nothing_else(tunnel: Tunnel):
    """The traffic port interprets nothing."""
    assert tunnel.pair.server is OURS
    data = b"".join(garbage() for _ in range(20))
    with tunnel.visit() as visitor:
        visitor.sendall(data)
        assert read_exactly(visitor, len(data)) == data
