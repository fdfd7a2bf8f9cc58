# SPDX-License-Identifier: MIT
"""IPv6 everywhere: QUIC address, traffic address, local service, all as literals."""

import os
import socket

import pytest

from harness.programs import OWN
from harness.service import Recorder, Service, read_exactly


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


pytestmark = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")


@pytest.mark.pairs("all")
@pytest.mark.only("client_dials_ipv6")
def test_a_tunnel_over_ipv6_alone(make_tunnel, pair):
    tunnel = make_tunnel(pair, host="::1").start()
    data = os.urandom(100_000)
    with tunnel.visit() as visitor:
        visitor.sendall(data)
        assert read_exactly(visitor, len(data)) == data


def test_the_service_may_be_of_the_other_family(make_tunnel):
    tunnel = make_tunnel(OWN, host="::1", service=Service("127.0.0.1")).start()
    with tunnel.visit() as visitor:
        visitor.sendall(b"across")
        assert read_exactly(visitor, 6) == b"across"


def test_the_service_may_be_a_name(make_tunnel):
    tunnel = make_tunnel(OWN)
    tunnel.client_settings["local"]["host"] = "localhost"
    tunnel.start().wait_until_serving()


def test_the_server_may_be_a_name(make_tunnel):
    tunnel = make_tunnel(OWN)
    tunnel.client_settings["server"]["servers"] = [{"address": f"localhost:{tunnel.quic_port}"}]
    tunnel.start().wait_until_serving()


def test_every_address_of_the_machine_is_one_listener(make_tunnel):
    """`[::]` takes visitors and clients of both families."""
    tunnel = make_tunnel(OWN)
    listener = tunnel.server_settings["listeners"][0]
    listener["quic_addr"] = f"[::]:{tunnel.quic_port}"
    listener["traffic_addr"] = f"[::]:{tunnel.traffic_port}"
    recorder = tunnel.service.behaviour = Recorder()
    tunnel.start()
    for number, host in enumerate(("127.0.0.1", "::1"), start=1):
        with socket.create_connection((host, tunnel.traffic_port), 10) as visitor:
            visitor.sendall(host.encode())
        assert recorder.wait(number)[-1] == (host.encode(), "end")
