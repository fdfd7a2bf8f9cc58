# SPDX-License-Identifier: MIT
"""What a visitor and a local service see of each other, through every pair of programs.

Where a Go program is on one side, less can be promised; `pair` says what (harness/programs.py).
"""

import os
import socket
import threading

import pytest

from harness.service import Recorder, abort, answer_with, echo, read_exactly, read_to_end
from harness.tunnel import Tunnel
from harness.waiting import wait_until

pytestmark = pytest.mark.pairs("all")

MIB = 1024 * 1024


def exchange(visitor: socket.socket, data: bytes) -> bytes:
    """Sends to an echo and reads the same number of bytes at the same time."""
    sender = threading.Thread(target=visitor.sendall, args=(data,))
    sender.start()
    received = read_exactly(visitor, len(data))
    sender.join()
    return received


@pytest.mark.parametrize("size", [1, 65535, 65536, 65537, 3 * MIB])
def test_carries_bytes_both_ways(tunnel: Tunnel, size: int):
    data = os.urandom(size)
    with tunnel.visit() as visitor:
        assert exchange(visitor, data) == data


def test_carries_many_small_turns_in_order(tunnel: Tunnel):
    with tunnel.visit() as visitor:
        for turn in range(200):
            message = f"turn {turn};".encode()
            visitor.sendall(message)
            assert read_exactly(visitor, len(message)) == message


@pytest.mark.only("keeps_trailer_from_visitor")
@pytest.mark.parametrize("size", [0, 1, 65536, 3 * MIB])
def test_visitor_gets_exactly_the_services_bytes_when_it_closes_first(tunnel: Tunnel, size: int):
    data = os.urandom(size)
    tunnel.service.behaviour = answer_with(data)
    with tunnel.visit() as visitor:
        assert read_to_end(visitor) == data


def test_service_gets_exactly_the_visitors_bytes_when_he_closes_first(tunnel: Tunnel):
    data = os.urandom(3 * MIB)
    recorder = tunnel.service.behaviour = Recorder()
    with tunnel.visit() as visitor:
        visitor.sendall(data)
    assert recorder.wait() == [(data, "end")]


@pytest.mark.only("half_close")
def test_service_answers_after_the_visitors_end(tunnel: Tunnel):
    question, answer = os.urandom(MIB), os.urandom(MIB)

    def answer_at_end(sock: socket.socket) -> None:
        received = read_to_end(sock)
        sock.sendall(answer if received == question else b"wrong question")

    tunnel.service.behaviour = answer_at_end
    with tunnel.visit() as visitor:
        visitor.sendall(question)
        visitor.shutdown(socket.SHUT_WR)
        assert read_to_end(visitor) == answer


@pytest.mark.only("half_close")
def test_visitor_goes_on_after_the_services_end(tunnel: Tunnel):
    late = os.urandom(MIB)

    def end_then_listen(sock: socket.socket) -> bytes:
        sock.sendall(b"that is all")
        sock.shutdown(socket.SHUT_WR)
        return read_to_end(sock)

    recorder = tunnel.service.behaviour = Recorder(end_then_listen)
    with tunnel.visit() as visitor:
        assert read_to_end(visitor) == b"that is all"
        visitor.sendall(late)
        visitor.shutdown(socket.SHUT_WR)
        assert recorder.wait() == [(late, "end")]


@pytest.mark.only("answers_after_visitors_end")
def test_answer_arrives_although_the_visitor_has_ended(tunnel: Tunnel):
    """The common half-close, `printf request | nc`: a Go client must not cost the visitor its answer."""
    answer = os.urandom(MIB)

    def answer_one_line(sock: socket.socket) -> None:
        sock.recv(100)
        sock.sendall(answer)

    tunnel.service.behaviour = answer_one_line
    with tunnel.visit() as visitor:
        visitor.sendall(b"request\n")
        visitor.shutdown(socket.SHUT_WR)
        assert read_to_end(visitor) == answer


def test_reset_by_the_visitor_reaches_the_service(tunnel: Tunnel):
    recorder = tunnel.service.behaviour = Recorder()
    visitor = tunnel.visit()
    visitor.sendall(b"x")
    assert recorder.accepted.wait(10)
    abort(visitor)
    [(_, how)] = recorder.wait()
    assert how == "reset" or not tunnel.pair.resets


def test_reset_by_the_service_reaches_the_visitor(tunnel: Tunnel):
    def send_and_abort(sock: socket.socket) -> None:
        read_exactly(sock, 1)
        abort(sock)

    tunnel.service.behaviour = send_and_abort
    with tunnel.visit() as visitor:
        visitor.sendall(b"x")
        if tunnel.pair.resets:
            with pytest.raises(ConnectionResetError):
                read_to_end(visitor)
        elif tunnel.pair.keeps_trailer_from_visitor:
            assert received_before_any_end(visitor) == b""


@pytest.mark.only("resets")
def test_reset_in_the_middle_of_a_download_is_no_clean_end(tunnel: Tunnel):
    began = threading.Event()

    def send_half_and_abort(sock: socket.socket) -> None:
        sock.sendall(os.urandom(MIB))
        began.wait(10)
        abort(sock)

    tunnel.service.behaviour = send_half_and_abort
    with tunnel.visit() as visitor:
        read_exactly(visitor, 1000)
        began.set()
        with pytest.raises(ConnectionResetError):
            read_to_end(visitor)


def received_before_any_end(visitor: socket.socket) -> bytes:
    """All bytes until the connection ends, cleanly or not."""
    received = bytearray()
    try:
        while data := visitor.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return bytes(received)


def visit_unserved(tunnel: Tunnel) -> str:
    """How the connection ends of a visitor whom none can serve. The reset may come before `connect` returns."""
    try:
        with tunnel.visit() as visitor:
            assert visitor.recv(1) == b""
            return "end"
    except ConnectionResetError:
        return "reset"


@pytest.mark.only("keeps_trailer_from_visitor")
def test_visitor_gets_no_byte_while_the_service_is_down(tunnel: Tunnel):
    tunnel.service.down()
    try:
        assert visit_unserved(tunnel) == "reset" or not tunnel.pair.resets
    finally:
        tunnel.service.up()
    with tunnel.visit() as visitor:
        assert exchange(visitor, b"back again") == b"back again"


@pytest.mark.parametrize("count", [60])
def test_keeps_many_tunnels_apart(tunnel: Tunnel, count: int):
    visitors = [tunnel.visit() for _ in range(count)]
    try:
        for number, visitor in enumerate(visitors):
            visitor.sendall(f"{number:08}".encode() * 100)
        for number, visitor in enumerate(visitors):
            assert read_exactly(visitor, 800) == f"{number:08}".encode() * 100
    finally:
        for visitor in visitors:
            visitor.close()


def test_one_after_another_many_visitors_are_served(tunnel: Tunnel):
    """More than a hundred: stream credit must come back."""
    for number in range(130):
        message = f"visitor {number}".encode()
        with tunnel.visit() as visitor:
            visitor.sendall(message)
            assert read_exactly(visitor, len(message)) == message


def test_a_silent_visitor_is_joined_to_the_service_at_once(tunnel: Tunnel):
    """Protocols in which the server speaks first."""
    tunnel.service.behaviour = lambda sock: (sock.sendall(b"220 ready"), echo(sock))
    with tunnel.visit() as visitor:
        assert read_exactly(visitor, 9) == b"220 ready"


def test_descriptors_come_back(tunnel: Tunnel):
    programs = (tunnel.server, tunnel.client)
    with tunnel.visit() as visitor:
        exchange(visitor, b"warm")
    before = [program.descriptor_count() for program in programs]
    visitors = [tunnel.visit() for _ in range(40)]
    for visitor in visitors:
        exchange(visitor, b"x")
        visitor.close()
    wait_until(
        lambda: all(program.descriptor_count() <= count + 2 for program, count in zip(programs, before)),
        "descriptors of closed tunnels are given back",
    )
