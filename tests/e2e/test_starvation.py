# SPDX-License-Identifier: MIT
"""One visitor must not cost another its service."""

import contextlib
import os
import socket

import pytest

from harness.service import abort, answer_with, echo, read_exactly, read_to_end
from harness.tunnel import Tunnel

pytestmark = pytest.mark.pairs("all")

MIB = 1024 * 1024


def pour(sock: socket.socket) -> None:
    """Sends for as long as anyone takes it, then for as long as the buffers do."""
    block = os.urandom(256 * 1024)
    with contextlib.suppress(OSError):
        for _ in range(40):
            sock.sendall(block)


def test_aborted_downloads_do_not_stop_other_visitors(tunnel: Tunnel):
    tunnel.service.behaviour = pour
    for _ in range(40):
        visitor = tunnel.visit()
        read_exactly(visitor, 1000)
        abort(visitor)
    data = os.urandom(3 * MIB)
    tunnel.service.behaviour = answer_with(data)
    with tunnel.visit() as visitor:
        assert read_exactly(visitor, len(data)) == data


def test_uploads_to_a_service_that_has_closed_do_not_stop_other_visitors(tunnel: Tunnel):
    tunnel.service.behaviour = lambda sock: sock.recv(1000)
    for _ in range(40):
        with tunnel.visit() as visitor:
            pour(visitor)
    tunnel.service.behaviour = echo
    data = os.urandom(MIB)
    with tunnel.visit() as visitor:
        visitor.sendall(data)
        assert read_exactly(visitor, len(data)) == data
