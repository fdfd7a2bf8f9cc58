# SPDX-License-Identifier: MIT
"""Our server facing clients of other makes, message by message. What tunnels carry is in test_tunnel.py."""

import asyncio
import itertools
import json
import struct
from collections.abc import Iterator

import pytest

pytest.importorskip("aioquic")

from harness.programs import OWN  # noqa: E402
from harness.scripted import Visitor, scripted_client, within  # noqa: E402
from harness.tunnel import Tunnel  # noqa: E402
from peer import messages  # noqa: E402
from peer.connection import StreamReset  # noqa: E402
from peer.messages import HEADER, Type  # noqa: E402


@pytest.fixture
def server(make_tunnel) -> Iterator[Tunnel]:
    """Our server alone; each test brings its clients."""
    tunnel = make_tunnel(OWN, health_timeout="4s")
    tunnel.start_server()
    yield tunnel
    assert tunnel.server.alive()


def trailer(conn_id: int, reason: str = "closed") -> bytes:
    return messages.encode(Type.CONN_CLOSE, ConnID=conn_id, Reason=reason)


# Registration


def test_registers_a_client_without_alpn_and_without_our_fields(server: Tunnel):
    async def script():
        async with scripted_client(server) as client:
            ack = await client.register()
            assert ack["Success"] is True and isinstance(ack["Message"], str)

    asyncio.run(script())


def test_answers_with_the_capabilities_it_will_use(server: Tunnel):
    async def script():
        async with scripted_client(server, alpn=("qmux/1",)) as client:
            announced = ["tcp", "udp", "drain", "from-the-future"]
            ack = await client.register(Capabilities=announced, Instance="00" * 16, Slot=0, Epoch=1)
            assert ack["Capabilities"] == ["drain"]

    asyncio.run(script())


def test_refuses_a_client_with_another_alpn(server: Tunnel):
    async def script():
        with pytest.raises(ConnectionError):
            async with scripted_client(server, alpn=("h3",)):
                pass

    asyncio.run(script())


def test_ignores_unknown_fields_and_unknown_messages(server: Tunnel):
    async def script():
        async with scripted_client(server) as client:
            await client.register(Colour="blue", Nested={"a": [1, None]})
            await client.control.write(HEADER.pack(0x7E, 3) + b"???")
            await client.control.write(messages.encode(Type.ERROR, Code=7, Message="just saying"))
            visitor = await Visitor.arrive(server)
            await client.next_tunnel()
            visitor.leave()

    asyncio.run(script())


def test_reads_a_message_that_comes_byte_by_byte(server: Tunnel):
    async def script():
        async with scripted_client(server) as client:
            register = messages.encode(Type.REGISTER, ClientID="slow", Version="1.0", Capabilities=["tcp"])
            for position in range(len(register)):
                await client.control.write(register[position:position + 1])
            ack = await within(messages.expect(client.control, Type.REGISTER_ACK))
            assert ack["Success"]

    asyncio.run(script())


BAD_FIRST_MESSAGES = [
    pytest.param(HEADER.pack(Type.REGISTER, 0xFFFFFFFF), id="4-GiB"),
    pytest.param(HEADER.pack(Type.REGISTER, 65537) + b"{", id="over-the-limit"),
    pytest.param(HEADER.pack(Type.REGISTER, 5) + b"{nope", id="no-json"),
    pytest.param(HEADER.pack(Type.REGISTER, 2) + b"[]", id="no-object"),
    pytest.param(HEADER.pack(Type.REGISTER, 2) + b"{}", id="no-client-id"),
    pytest.param(HEADER.pack(Type.REGISTER, 0), id="empty"),
    pytest.param(messages.encode(Type.REGISTER, ClientID=7, Version="1.0", Capabilities=[]), id="wrong-type"),
    pytest.param(messages.encode(Type.HEARTBEAT, Timestamp=1), id="heartbeat-first"),
    pytest.param(HEADER.pack(Type.REGISTER, 60_000) + b"[" * 60_000, id="deep"),
]


@pytest.mark.parametrize("message", BAD_FIRST_MESSAGES)
def test_ends_the_connection_of_who_does_not_register(server: Tunnel, message: bytes):
    async def script():
        async with scripted_client(server) as bad, scripted_client(server) as good:
            await good.register()
            await bad.control.write(message)
            await bad.wait_closed()
            visitor = await Visitor.arrive(server)
            await good.next_tunnel()
            visitor.leave()

    asyncio.run(script())


def test_drops_a_client_whose_heartbeats_stop(server: Tunnel):
    async def script():
        async with scripted_client(server) as client:
            await client.register()
            await client.wait_closed()

    asyncio.run(script())


def test_sends_heartbeats(server: Tunnel):
    async def script():
        async with scripted_client(server) as client:
            await client.register()
            fields = await within(messages.expect(client.control, Type.HEARTBEAT))
            assert isinstance(fields["Timestamp"], int)

    asyncio.run(script())


# Tunnels


def test_new_conn_says_who_comes(server: Tunnel):
    async def script():
        async with scripted_client(server) as client:
            await client.register()
            visitor = await Visitor.arrive(server)
            _, new_conn = await client.next_tunnel()
            host, port = visitor.writer.get_extra_info("sockname")
            assert new_conn["SourceAddr"] == f"{host}:{port}"
            assert new_conn["DestAddr"] == f"{server.host}:{server.traffic_port}"
            assert new_conn["Protocol"] == "tcp"
            assert 0 <= new_conn["ConnID"] < 2**64
            assert set(new_conn) == {"ConnID", "Protocol", "SourceAddr", "DestAddr", "Timestamp"}
            visitor.leave()

    asyncio.run(script())


def test_goes_on_through_key_updates(server: Tunnel):
    """RFC 9001 section 6: the peer changes keys, ours follows, and data of both ways arrives under either."""
    async def script():
        async with scripted_client(server) as client:
            await client.register()
            visitor = await Visitor.arrive(server)
            stream, _ = await client.next_tunnel()
            for number in range(4):
                client.connection.request_key_update()
                data = bytes([number]) * 200_000
                await stream.write(data)
                assert await visitor.read_exactly(len(data)) == data
                visitor.writer.write(data)
                assert await within(stream.read_exactly(len(data))) == data
            visitor.leave()

    asyncio.run(script())


@pytest.mark.parametrize("reason", ["closed", "\u003c\"\\"], ids=["closed", "escapes"])
@pytest.mark.parametrize("data", [b"", b"x", b"y" * 100_000], ids=len)
def test_removes_the_trailer_of_a_go_client(server: Tunnel, reason: str, data: bytes):
    async def script():
        async with scripted_client(server) as client:
            await client.register()
            visitor = await Visitor.arrive(server)
            stream, new_conn = await client.next_tunnel()
            await stream.write(data)
            await stream.write(trailer(new_conn["ConnID"], reason))
            stream.finish()
            assert await received_by(visitor) == data

    asyncio.run(script())


def test_resets_the_visitor_when_a_go_client_could_not_dial(server: Tunnel):
    """Such a client says so by a trailer alone."""

    async def script():
        async with scripted_client(server) as client:
            await client.register()
            visitor = await Visitor.arrive(server)
            stream, new_conn = await client.next_tunnel()
            await stream.write(trailer(new_conn["ConnID"], "dial failed: dial tcp 127.0.0.1:1: connect: connection refused"))
            stream.finish()
            with pytest.raises(ConnectionResetError):
                await visitor.read_to_end()

    asyncio.run(script())


async def received_by(visitor: Visitor) -> bytes:
    """All that a visitor gets until its connection ends in whatever way."""
    received = b""
    try:
        while part := await within(visitor.reader.read(65536)):
            received += part
    except ConnectionResetError:
        pass
    return received


def test_removes_a_trailer_that_comes_byte_by_byte(server: Tunnel):
    async def script():
        async with scripted_client(server) as client:
            await client.register()
            visitor = await Visitor.arrive(server)
            stream, new_conn = await client.next_tunnel()
            for byte in b"data" + trailer(new_conn["ConnID"]):
                await stream.write(bytes([byte]))
                await asyncio.sleep(0)
            stream.finish()
            assert await received_by(visitor) == b"data"

    asyncio.run(script())


def test_keeps_what_only_looks_like_a_trailer(server: Tunnel):
    """Another ConnID; a trailer with data after it; half a trailer; one trailer of two."""

    async def script():
        async with scripted_client(server) as client:
            await client.register()
            for make in (
                lambda own: (trailer(own ^ 1), b""),
                lambda own: (trailer(own) + b"more", b""),
                lambda own: (trailer(own)[:-1], b""),
                lambda own: (trailer(own), trailer(own)),
                lambda own: (HEADER.pack(Type.CONN_CLOSE, 2) + b"{}", b""),
            ):
                visitor = await Visitor.arrive(server)
                stream, new_conn = await client.next_tunnel()
                kept, removed = make(new_conn["ConnID"])
                await stream.write(kept + removed)
                stream.finish()
                assert await received_by(visitor) == kept

    asyncio.run(script())


def test_keeps_a_trailer_of_a_client_of_our_kind(server: Tunnel):
    """Such a client writes none: whatever looks like one is the service's own."""

    async def script():
        async with scripted_client(server, alpn=("qmux/1",)) as client:
            await client.register(Instance="01" * 16, Slot=0, Epoch=1)
            visitor = await Visitor.arrive(server)
            stream, new_conn = await client.next_tunnel()
            await stream.write(trailer(new_conn["ConnID"]))
            stream.finish()
            assert await received_by(visitor) == trailer(new_conn["ConnID"])

    asyncio.run(script())


def test_resets_the_visitor_when_the_dial_has_failed(server: Tunnel):
    async def script():
        async with scripted_client(server, alpn=("qmux/1",)) as client:
            await client.register(Instance="02" * 16, Slot=0, Epoch=1)
            visitor = await Visitor.arrive(server)
            stream, _ = await client.next_tunnel()
            stream.reset(messages.StreamError.DIAL_FAILED)
            stream.stop_reading(messages.StreamError.DIAL_FAILED)
            with pytest.raises(ConnectionResetError):
                await visitor.read_to_end()

    asyncio.run(script())


def test_asks_a_go_client_for_nothing_more_once_it_has_ended(server: Tunnel):
    """Its FIN means that the local connection is closed: what we still sent would hold its window for ever."""

    async def script():
        async with scripted_client(server) as client:
            await client.register()
            visitor = await Visitor.arrive(server)
            stream, new_conn = await client.next_tunnel()
            await stream.write(trailer(new_conn["ConnID"]))
            stream.finish()
            await visitor.read_to_end()
            with pytest.raises((StreamReset, EOFError)):
                await within(stream.read_exactly(1))

    asyncio.run(script())


def test_visitors_beyond_the_clients_stream_credit_wait_for_it(server: Tunnel):
    """A Go client admits 100 streams at once; later visitors get theirs as earlier ones leave."""

    async def script():
        async with scripted_client(server, streams_max=100) as client:
            await client.register()
            visitors = [await Visitor.arrive(server) for _ in range(110)]
            greetings = [asyncio.ensure_future(visitor.reader.read(5)) for visitor in visitors]
            streams = [await client.next_tunnel() for _ in range(100)]
            assert client.tunnels.empty()
            for stream, new_conn in streams[:20]:
                await stream.write(trailer(new_conn["ConnID"]))
                stream.finish()
            for _ in range(10):
                stream, _ = await client.next_tunnel()
                await stream.write(b"hello")
            first = itertools.islice(asyncio.as_completed(greetings), 30)
            assert sorted([await within(greeting) for greeting in first]) == [b""] * 20 + [b"hello"] * 10
            for greeting in greetings:
                greeting.cancel()

    asyncio.run(script())


def test_two_instances_with_one_client_id_are_both_members(server: Tunnel):
    async def script():
        async with scripted_client(server) as one, scripted_client(server) as two:
            await one.register(ClientID="same", Instance="03" * 16, Slot=0, Epoch=1)
            await two.register(ClientID="same", Instance="04" * 16, Slot=0, Epoch=1)
            waiting = {asyncio.ensure_future(client.next_tunnel()) for client in (one, two)}
            visitors = []
            while waiting:
                visitors.append(await Visitor.arrive(server))
                joined, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                assert len(joined) == 1
                joined.pop().result()
            for visitor in visitors:
                visitor.leave()

    asyncio.run(script())


def test_higher_epoch_of_the_same_instance_replaces_the_older_connection(server: Tunnel):
    async def script():
        async with scripted_client(server) as old, scripted_client(server) as new:
            await old.register(ClientID="same", Instance="05" * 16, Slot=0, Epoch=1)
            visitor = await Visitor.arrive(server)
            await old.next_tunnel()
            await new.register(ClientID="same", Instance="05" * 16, Slot=0, Epoch=2)
            await old.wait_closed()
            with pytest.raises(ConnectionResetError):
                await visitor.read_to_end()
            later = await Visitor.arrive(server)
            await new.next_tunnel()
            later.leave()

    asyncio.run(script())


def test_lower_epoch_of_the_same_instance_does_not_replace(server: Tunnel):
    async def script():
        async with scripted_client(server) as first, scripted_client(server) as stale:
            await first.register(ClientID="same", Instance="06" * 16, Slot=0, Epoch=5)
            ack = await stale.register(ClientID="same", Instance="06" * 16, Slot=0, Epoch=4)
            assert not ack["Success"] and ack["Message"], "a refusal is answered with its reason"
            visitor = await Visitor.arrive(server)
            await first.next_tunnel()
            visitor.leave()

    asyncio.run(script())


def test_spare_streams_of_a_client_are_ended_and_harm_nothing(server: Tunnel):
    """Only the control stream is a client's to open."""

    async def script():
        async with scripted_client(server) as client:
            await client.register()
            spare = client.connection.open_stream()
            await spare.write(struct.pack("!BI", 1, 2) + json.dumps({}).encode())
            visitor = await Visitor.arrive(server)
            await client.next_tunnel()
            visitor.leave()

    asyncio.run(script())
