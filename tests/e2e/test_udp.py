# SPDX-License-Identifier: MIT
"""What a visitor and a local service see of each other by UDP, through every pair of programs."""

import contextlib
import os
import random
import selectors
import threading

import pytest

from harness.service import read_exactly
from harness.tunnel import Tunnel
from harness.udp import PAYLOAD_BYTES_MAX, udp_socket

pytestmark = pytest.mark.pairs("all")

# Around every border: of the headers, of what programs cut at, of packets, of chunks, and the largest.
SIZES = [0, 1, 2, 3, 4, 5, 8, 9, 63, 64, 512, 1186, 1187, 1190, 1191, 1192, 1195, 1196, 1197, 1200, 1201, 1252, 1350,
         1372, 1391, 1392, 1395, 1396, 1397, 1400, 1401, 1420, 1452, 1472, 1500, 2382, 2383, 4096, 8192, 9000, 16_370,
         16_379, 16_380, 16_383, 16_384, 16_385, 32_768, 40_000, 65_000, 65_498, 65_503, 65_506, PAYLOAD_BYTES_MAX]


def unlike_a_part(payload: bytes) -> bytes:
    """An Go program that is the sender does not escape, and one that is the receiver takes this bit for the mark."""
    return payload[:2] + bytes([payload[2] & 0x7F]) + payload[3:] if len(payload) > 2 else payload


def payload_for(tunnel: Tunnel, payload: bytes) -> bytes:
    """What this pair can carry in both directions."""
    pair = tunnel.pair
    return payload if pair.server.habits.escapes and pair.client.habits.escapes else unlike_a_part(payload)


@pytest.mark.parametrize("size", SIZES)
def test_payloads_of_every_size_arrive_intact_both_ways(udp_tunnel: Tunnel, size: int):
    payload = payload_for(udp_tunnel, os.urandom(size))
    with udp_tunnel.visit_udp() as visitor:
        assert visitor.ask(payload) == payload


def test_sizes_across_the_whole_range_in_one_session(udp_tunnel: Tunnel):
    draw = random.Random(4)
    with udp_tunnel.visit_udp() as visitor:
        for _ in range(60):
            payload = payload_for(udp_tunnel, draw.randbytes(int(PAYLOAD_BYTES_MAX ** draw.random())))
            assert visitor.ask(payload) == payload


MARKED = [
    pytest.param(bytes([0, 0, 0x80, 0, 1]), id="only-part-of-one"),
    pytest.param(bytes([0, 0, 0x80, 0, 1]) + b"rest", id="only-part-of-one-with-more"),
    pytest.param(bytes([0, 1, 0x81, 0, 2]) + b"part", id="first-of-two"),
    pytest.param(bytes([0, 1, 0x80, 1, 2]) + b"part", id="last-of-two"),
    pytest.param(bytes([0, 1, 0x81, 254, 255]) + b"x" * 500, id="of-255"),
    pytest.param(bytes([0, 0, 0x80, 0, 0]), id="of-none"),
    pytest.param(bytes([9, 9, 0x80, 9, 3]), id="index-over-total"),
    pytest.param(bytes([0x80, 0xE0, 0xFF, 0xFF, 0xFF]) + bytes(range(256)), id="every-flag"),
    pytest.param(b"\xff" * 5, id="ones"),
    pytest.param(b"\xff" * 4, id="too-short-for-a-part"),
    pytest.param(b"\xff" * 1187, id="as-large-as-fits-escaped-into-1196"),
    pytest.param(b"\xff" * 1195, id="fits-bare-and-not-escaped"),
    pytest.param(b"\xff" * 40_000, id="marked-and-cut"),
    pytest.param(b"\xff" * PAYLOAD_BYTES_MAX, id="marked-and-largest"),
    pytest.param(bytes([0x80, 0x60, 0x9C, 0x40] * 43), id="rtp-with-a-high-sequence-number"),
]


@pytest.mark.only("server_escapes")
@pytest.mark.parametrize("payload", MARKED)
def test_payloads_that_look_like_parts_reach_the_service(udp_tunnel: Tunnel, payload: bytes):
    service = udp_tunnel.udp_service
    service.received.clear()
    service.answers = lambda _: ()
    with udp_tunnel.visit_udp() as visitor:
        visitor.send(payload)
        service.wait_for(payload)


@pytest.mark.only("client_escapes")
@pytest.mark.parametrize("payload", MARKED)
def test_payloads_that_look_like_parts_reach_the_visitor(udp_tunnel: Tunnel, payload: bytes):
    udp_tunnel.udp_service.answers = lambda _: (payload,)
    with udp_tunnel.visit_udp() as visitor:
        assert visitor.ask(b"?") == payload


@pytest.mark.only("one_side_escapes")
def test_marked_payloads_between_parts_of_others(udp_tunnel: Tunnel):
    """A Go receiver knows groups of parts by their id alone and dies when escapes use one that is open."""
    draw = random.Random(5)
    large = unlike_a_part(draw.randbytes(20_000))
    marked = b"\xff" * 100 if udp_tunnel.pair.server.habits.escapes else b"\x7f" * 100
    answer = b"\xfe" * 100 if udp_tunnel.pair.client.habits.escapes else b"\x7e" * 100
    udp_tunnel.udp_service.answers = lambda payload: (answer,) if payload == marked else (payload, answer)
    with contextlib.ExitStack() as stack:
        visitors = [stack.enter_context(udp_tunnel.visit_udp()) for _ in range(4)]
        for _ in range(5):
            for visitor in visitors:
                visitor.send(large)
                visitor.send(marked)
            for visitor in visitors:
                assert sorted(visitor.receive() for _ in range(3)) == sorted([large, answer, answer])


def test_an_answer_may_be_many(udp_tunnel: Tunnel):
    answers = [bytes([number]) * (number * 100) for number in range(1, 31)]
    answers = [payload_for(udp_tunnel, answer) for answer in answers]
    udp_tunnel.udp_service.answers = lambda _: answers
    with udp_tunnel.visit_udp() as visitor:
        visitor.send(b"?")
        assert sorted(visitor.receive() for _ in answers) == sorted(answers)


def test_payloads_go_without_an_answer(udp_tunnel: Tunnel):
    """As many as a Go receiver's queue takes."""
    service = udp_tunnel.udp_service
    service.received.clear()
    service.answers = lambda _: ()
    sent = [b"%04d" % number + bytes(number) for number in range(100)]
    with udp_tunnel.visit_udp() as visitor:
        for payload in sent:
            visitor.send(payload)
        service.wait_for(sent[-1])
        assert [payload for payload, _ in service.received] == sent
        assert len(service.sources()) == 1


@pytest.mark.pairs("own")
def test_500_visitors_at_once(udp_tunnel: Tunnel):
    many_visitors_at_once(udp_tunnel, 500)


def test_50_visitors_at_once(udp_tunnel: Tunnel):
    """As many as the queues of every program hold."""
    many_visitors_at_once(udp_tunnel, 50)


def many_visitors_at_once(udp_tunnel: Tunnel, count: int):
    """Each is answered what it sent, and only that."""
    turns = 3
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        turn_of = {}
        for number in range(count):
            sock = stack.enter_context(udp_socket(udp_tunnel.host))
            sock.connect((udp_tunnel.host, udp_tunnel.traffic_port))
            selector.register(sock, selectors.EVENT_READ, number)
            turn_of[number] = 0
            sock.send(b"visitor %d, turn 0" % number)
        while turn_of:
            ready = selector.select(timeout=15)
            assert ready, f"{len(turn_of)} of {count} visitors wait for an answer"
            for key, _ in ready:
                number = key.data
                assert key.fileobj.recv(65535) == b"visitor %d, turn %d" % (number, turn_of[number])
                turn_of[number] += 1
                if turn_of[number] == turns:
                    selector.unregister(key.fileobj)
                    del turn_of[number]
                else:
                    key.fileobj.send(b"visitor %d, turn %d" % (number, turn_of[number]))


@pytest.mark.pairs("fast")
def test_tcp_and_udp_at_the_same_time(udp_tunnel: Tunnel):
    """On one traffic address; a TCP transfer under way takes nothing from a visitor who sends by UDP."""
    data = os.urandom(40 * 1024 * 1024)
    with udp_tunnel.visit() as tcp, udp_tunnel.visit_udp() as udp:
        received = []
        threads = [threading.Thread(target=tcp.sendall, args=(data,), daemon=True),
                   threading.Thread(target=lambda: received.append(read_exactly(tcp, len(data))), daemon=True)]
        for thread in threads:
            thread.start()
        turns = 0
        while threads[1].is_alive() or turns < 20:
            payload = b"turn %d" % turns + bytes(turns % 1000)
            assert udp.ask(payload) == payload
            turns += 1
        assert received == [data]
