# SPDX-License-Identifier: MIT
"""The server's word that a session by UDP has ended (capability udp-end), seen from either side."""

import asyncio
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("aioquic")

from harness.programs import OWN  # noqa: E402
from harness.scripted import scripted_client, scripted_server, within  # noqa: E402
from harness.tunnel import Tunnel  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from peer import messages  # noqa: E402
from peer.datagrams import SESSION  # noqa: E402
from peer.messages import Type  # noqa: E402


@asynccontextmanager
async def registered_client(tunnel: Tunnel, *capabilities: str):
    async with scripted_client(tunnel) as client:
        ack = await client.register(Capabilities=["tcp", "udp", *capabilities], Instance="00" * 16, Slot=0, Epoch=1)
        yield client, ack.get("Capabilities", [])


async def next_message(stream) -> tuple[int, dict]:
    """The next one that is no heartbeat."""
    while (message := await within(messages.read(stream), 15))[0] == Type.HEARTBEAT:
        pass
    return message


def test_the_server_tells_which_sessions_have_ended(make_tunnel):
    tunnel = make_tunnel(OWN, protocol="udp", health_timeout="30s")
    tunnel.server_settings["listeners"][0]["udp"] = {"session_idle_timeout": "1s"}
    tunnel.start_server()

    async def script():
        async with registered_client(tunnel, "udp-end") as (client, used):
            assert used == ["udp-end"]
            sessions = set()
            for _ in range(3):
                with tunnel.visit_udp() as visitor:
                    visitor.send(b"?")
                    sessions.add(SESSION.unpack((await client.next_datagram())[:4])[0])
            reported = []
            while len(reported) < len(sessions):
                kind, fields = await next_message(client.control)
                assert kind == Type.UDP_END
                reported += fields["Sessions"]
            assert set(reported) == sessions
            assert len(reported) == len(sessions)

    asyncio.run(script())


def test_a_client_that_does_not_ask_for_it_is_told_nothing(make_tunnel):
    tunnel = make_tunnel(OWN, protocol="udp", health_timeout="30s", heartbeat="500ms")
    tunnel.server_settings["listeners"][0]["udp"] = {"session_idle_timeout": "500ms"}
    tunnel.start_server()

    async def script():
        async with registered_client(tunnel) as (client, used):
            assert used == []
            with tunnel.visit_udp() as visitor:
                visitor.send(b"?")
                await client.next_datagram()
            for _ in range(4):  # the session ends meanwhile
                assert (await within(messages.read(client.control)))[0] == Type.HEARTBEAT

    asyncio.run(script())


def test_the_client_lets_go_of_what_the_server_has_ended(make_tunnel):
    tunnel = make_tunnel(OWN, protocol="udp", health_timeout="30s")

    async def script():
        async with scripted_server(tunnel) as server:
            await asyncio.to_thread(tunnel.spawn_client)
            await server.admit(Capabilities=["udp-end"])
            assert "udp-end" in server.register["Capabilities"]
            at_rest = tunnel.client.descriptor_count()
            for session in range(1, 11):
                server.connection.send_datagrams([SESSION.pack(session) + b"?"])
                assert await server.next_datagram() == SESSION.pack(session) + b"?"
            assert tunnel.client.descriptor_count() == at_rest + 10
            ended = [*range(1, 10), 77, 4294967295]  # some that are none
            await server.control.write(messages.encode(Type.UDP_END, Sessions=ended))
            await asyncio.to_thread(wait_until, lambda: tunnel.client.descriptor_count() == at_rest + 1,
                                    "the sockets of nine sessions are closed", 10)
            server.connection.send_datagrams([SESSION.pack(10) + b"!"])
            assert await server.next_datagram() == SESSION.pack(10) + b"!"
            assert len(tunnel.udp_service.sources()) == 10

    asyncio.run(script())
