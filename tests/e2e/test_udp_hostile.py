# SPDX-License-Identifier: MIT
"""DATAGRAM frames that no well-behaved peer sends, to our server and to our client, and what ours send, byte by byte."""

import asyncio
import contextlib
import itertools
import os
import random
from collections.abc import Iterator

import pytest

pytest.importorskip("aioquic")

from harness.programs import OWN  # noqa: E402
from harness.scripted import ScriptedClient, ScriptedServer, scripted_client, scripted_server, within  # noqa: E402
from harness.tunnel import Tunnel  # noqa: E402
from harness.udp import UdpVisitor  # noqa: E402
from peer.datagrams import FRAGMENTED, MORE, PART, SESSION, Assembler, bears_mark  # noqa: E402

MIB = 1024 * 1024
# What parts of payloads that never come whole may hold, and what else may grow a little meanwhile.
FLOOD_BYTES_MAX = 4 * MIB + 12 * MIB
FLOOD_PARTS = 40_000
PART_BYTES = 1000
KEEP_UP_EVERY = 40


@pytest.fixture
def server(make_tunnel) -> Iterator[Tunnel]:
    """Our server alone; each test brings its clients."""
    tunnel = make_tunnel(OWN, protocol="both", health_timeout="30s")
    yield tunnel
    assert tunnel.server.alive()


@pytest.fixture
def client(make_tunnel) -> Iterator[Tunnel]:
    """Our client alone; each test is its server."""
    tunnel = make_tunnel(OWN, protocol="both", health_timeout="30s")
    yield tunnel
    assert tunnel.client.alive()


def part(session: int, number: int, flags: int, index: int, total: int, data: bytes = b"") -> bytes:
    return PART.pack(session, number, flags, index, total) + data


def garbage(session: int) -> list[bytes]:
    draw = random.Random(6)
    stray = session ^ 0x5A5A5A5A
    return [
        b"", b"\0", b"\0\0\0", SESSION.pack(session)[:3],
        SESSION.pack(stray), SESSION.pack(stray) + b"for nobody", SESSION.pack(0xFFFFFFFF) + b"for nobody",
        part(stray, 1, FRAGMENTED | MORE, 0, 2, b"for nobody"), part(stray, 1, FRAGMENTED, 1, 2, b"for nobody"),
        part(session, 2, FRAGMENTED | MORE, 0, 3, b"a"), part(session, 2, FRAGMENTED | MORE, 1, 4, b"b"),
        part(session, 2, FRAGMENTED | MORE, 1, 3, b"c"), part(session, 2, FRAGMENTED | MORE, 1, 3, b"d"),
        part(session, 3, FRAGMENTED, 254, 255), part(session, 3, FRAGMENTED | MORE, 0, 255, b"x" * 1100),
        *(part(session, 4, FRAGMENTED | MORE if index < 254 else FRAGMENTED, index, 255, b"y" * 1100) for index in range(255)),
        *(part(session, number, flags, index, total, b"?") for number in (0, 5, 0xFFFF)
          for flags in (0xFF, 0x82, FRAGMENTED, FRAGMENTED | MORE) for index, total in ((0, 0), (1, 1), (7, 3), (255, 255))),
        *(part(stray, draw.randrange(65536), 0x80 | draw.randrange(128), draw.randrange(256), draw.randrange(256),
               draw.randbytes(draw.randrange(1100))) for _ in range(500)),
    ]


async def ask(visitor: UdpVisitor, payload: bytes) -> None:
    await asyncio.get_running_loop().run_in_executor(None, visitor.send, payload)


async def answer(visitor: UdpVisitor) -> bytes:
    return await asyncio.get_running_loop().run_in_executor(None, visitor.receive)


async def send_all(peer: ScriptedClient | ScriptedServer, datagrams) -> None:
    """At the pace that the connection takes."""
    for batch in iter(lambda: list(itertools.islice(datagrams, KEEP_UP_EVERY)), []):
        peer.connection.send_datagrams(batch)
        while peer.connection.quic._datagrams_pending:
            await within(peer.connection.progress())


async def settled(peer: ScriptedClient | ScriptedServer) -> None:
    """The other side has read what was sent."""
    await within(peer.connection.ping())


# To our server


def test_garbage_from_a_client_harms_none(server: Tunnel):
    async def script():
        async with scripted_client(server) as bad:
            await bad.register()
            with server.visit_udp() as visitor, server.visit_udp() as other:
                await ask(visitor, b"hello")
                first = await bad.next_datagram()
                assert first[SESSION.size:] == b"hello"
                (session,) = SESSION.unpack_from(first)
                await send_all(bad, iter(garbage(session)))
                await settled(bad)
                visitor.forget_answers()
                bad.connection.send_datagrams([SESSION.pack(session) + b"the answer"])
                assert await answer(visitor) == b"the answer"
                # And another client's visitors are served all the while.
                await asyncio.to_thread(server.start_client)
                await send_all(bad, iter(garbage(session)))
                await ask(other, b"hello")
                assert await answer(other) == b"hello"

    server.start_server()
    asyncio.run(script())


def flood(sessions: Iterator[int]) -> Iterator[bytes]:
    """First parts of payloads that never come whole."""
    data = os.urandom(PART_BYTES)
    return (part(next(sessions), number % 65535 + 1, FRAGMENTED | MORE, 0, 200, data) for number in range(FLOOD_PARTS))


def test_slow_flood_of_first_parts_to_the_server_takes_bounded_memory(server: Tunnel):
    async def script():
        async with scripted_client(server) as bad:
            await bad.register()
            with server.visit_udp() as visitor:
                await ask(visitor, b"hello")
                (session,) = SESSION.unpack_from(await bad.next_datagram())
                before = server.server.resident_bytes()
                await send_all(bad, flood(itertools.cycle((session, session + 1))))
                await settled(bad)
                assert server.server.resident_bytes() < before + FLOOD_BYTES_MAX
                bad.connection.send_datagrams([part(session, 7, FRAGMENTED | MORE, 0, 2, b"the "),
                                               part(session, 7, FRAGMENTED, 1, 2, b"answer")])
                assert await answer(visitor) == b"the answer"

    server.start_server()
    asyncio.run(script())


# To our client


async def echoed(server, datagram: bytes) -> None:
    """The client's service has answered it: one datagram may get lost, so it is sent again until then."""
    async def ask():
        while True:
            server.connection.send_datagrams([datagram])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while await server.next_datagram() != datagram:
                        pass
                    return

    await within(ask())


def test_garbage_from_a_server_harms_none(client: Tunnel):
    async def script():
        async with scripted_server(client) as bad:
            await asyncio.to_thread(client.spawn_client)
            await bad.admit(Capabilities=[])
            await echoed(bad, SESSION.pack(1) + b"hello")
            await send_all(bad, iter(garbage(1)))
            await settled(bad)
            client.udp_service.received.clear()
            await echoed(bad, SESSION.pack(1) + b"again")

    asyncio.run(script())


def test_slow_flood_of_first_parts_to_the_client_takes_bounded_memory(client: Tunnel):
    async def script():
        async with scripted_server(client) as bad:
            await asyncio.to_thread(client.spawn_client)
            await bad.admit(Capabilities=["frag-seq"])
            await echoed(bad, SESSION.pack(1) + b"hello")
            before = client.client.resident_bytes()
            await send_all(bad, flood(itertools.count(1)))
            await settled(bad)
            assert client.client.resident_bytes() < before + FLOOD_BYTES_MAX
            await echoed(bad, SESSION.pack(1) + b"again")

    asyncio.run(script())


def test_a_flood_of_sessions_to_the_client_takes_no_more_than_its_share(client: Tunnel):
    """The server may name any number of visitors: the client serves so many, the latest of them."""

    async def script():
        async with scripted_server(client) as bad:
            await asyncio.to_thread(client.spawn_client)
            await bad.admit(Capabilities=["frag-seq"])
            client.udp_service.answers = lambda payload: (payload,) if payload == b"?" else ()
            await send_all(bad, (SESSION.pack(session) + b"flood" for session in range(1, 20_001)))
            await settled(bad)
            assert client.client.descriptor_count() < 16_500
            bad.connection.send_datagrams([SESSION.pack(20_000) + b"?"])
            assert await bad.next_datagram() == SESSION.pack(20_000) + b"?"

    asyncio.run(script())


# What ours send


@pytest.mark.parametrize("limit", [1200, 600])
def test_datagram_buffer_size_of_the_server_is_obeyed(server: Tunnel, limit: int):
    async def script():
        async with scripted_client(server) as peer:
            await peer.register()
            await check_datagrams(peer, server, limit)

    server.server_settings["listeners"][0]["udp"] = {"datagram_buffer_size": limit}
    server.start_server()
    asyncio.run(script())


async def check_datagrams(peer: ScriptedClient, server: Tunnel, limit: int) -> None:
    assembler = Assembler(sender_escapes=True)
    with server.visit_udp() as visitor:
        for size in (0, 1, 5, limit - 9, limit - 8, limit - 4, limit - 3, limit, 1500, 40_000):
            for payload in (bytes(size), b"\xff" * size):
                await ask(visitor, payload)
                complete = None
                while complete is None:
                    datagram = await peer.next_datagram()
                    assert len(datagram) <= limit
                    complete = assembler.add(datagram)
                assert complete[1] == payload


@pytest.mark.parametrize("limit", [1200, 600])
def test_datagram_buffer_size_of_the_client_is_obeyed(client: Tunnel, limit: int):
    async def script():
        async with scripted_server(client) as peer:
            await asyncio.to_thread(client.spawn_client)
            await peer.admit()
            assembler = Assembler(sender_escapes=True)
            for size in (0, 1, 5, limit - 9, limit - 8, limit - 4, limit - 3, limit, 1500, 40_000):
                for payload in (bytes(size), b"\xff" * size):
                    client.udp_service.answers = lambda _, payload=payload: (payload,)
                    peer.connection.send_datagrams([SESSION.pack(1) + b"?"])
                    complete = None
                    while complete is None:
                        datagram = await peer.next_datagram()
                        assert len(datagram) <= limit
                        complete = assembler.add(datagram)
                    assert complete == (1, payload)

    client.client_settings["udp"] = {"datagram_buffer_size": limit}
    asyncio.run(script())


def test_common_payloads_go_whole(server: Tunnel):
    """Once the path is known to take them."""

    async def script():
        async with scripted_client(server) as peer:
            await peer.register()
            with server.visit_udp() as visitor:
                for attempt in range(100):
                    await ask(visitor, bytes(1400))
                    datagram = await peer.next_datagram()
                    if len(datagram) == SESSION.size + 1400:
                        return
                    assert bears_mark(datagram)
                    if attempt == 0:
                        await peer.next_datagram()
                raise AssertionError("1,400 bytes never went whole")

    server.start_server()
    asyncio.run(script())


def test_fragment_ids_are_not_used_again_soon_towards_a_go_client(server: Tunnel):
    """And no other group has the id of escapes."""

    async def script():
        async with scripted_client(server) as peer:
            await peer.register()
            seen: set[int] = set()
            with server.visit_udp() as visitor:
                for _ in range(300):
                    await ask(visitor, b"\xff" * 3000)
                    while True:
                        datagram = await peer.next_datagram()
                        _, number, flags, index, total = PART.unpack_from(datagram)
                        assert number != 0
                        assert index < total
                        if index == 0:
                            assert number not in seen
                            seen.add(number)
                        if not flags & MORE:
                            break

    server.server_settings["listeners"][0]["udp"] = {"datagram_buffer_size": 1200}
    server.start_server()
    asyncio.run(script())


def test_an_escape_is_a_part_alone_under_the_id_of_escapes(server: Tunnel):
    async def script():
        async with scripted_client(server) as peer:
            await peer.register()
            with server.visit_udp() as visitor:
                for payload in (b"\xff" * 5, b"\0\0\x80\0\0", b"\x80" * 1000):
                    await ask(visitor, payload)
                    datagram = await peer.next_datagram()
                    assert PART.unpack_from(datagram)[1:] == (0, FRAGMENTED, 0, 1)
                    assert datagram[PART.size:] == payload

    server.start_server()
    asyncio.run(script())
