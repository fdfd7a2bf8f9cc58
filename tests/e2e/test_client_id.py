# SPDX-License-Identifier: MIT
"""Two clients with one client_id."""

import re

from harness.programs import OWN

SHARED = r"info another client with this client_id is registered client_id=(\S+) remote=(\S+)"
REGISTERED = r"info client registered client_id=(\S+) remote=(\S+)"


def test_second_client_with_a_client_id_is_served_and_mentioned(make_tunnel):
    tunnel = make_tunnel(OWN).start()
    tunnel.wait_until_serving()
    assert not re.search(SHARED, tunnel.server.log())
    second = tunnel.spawn("client", tunnel.client_settings, name="second")
    third = tunnel.spawn("client", tunnel.client_settings | {"client_id": "client-3"}, name="third")
    try:
        tunnel.server.wait_for_log(REGISTERED, count=3)
        second.wait_for_log(OWN.client.client_ready)
        third.wait_for_log(OWN.client.client_ready)
        [reported] = [match.groups() for match in re.finditer(SHARED, tunnel.server.log())]
        assert reported[0] == "client-1"
        assert reported in [match.groups() for match in re.finditer(REGISTERED, tunnel.server.log())][1:]
        assert tunnel.serves()
    finally:
        second.kill()
        third.kill()


def test_client_that_reconnects_is_not_taken_for_another_one(make_tunnel):
    tunnel = make_tunnel(OWN).start()
    tunnel.wait_until_serving()
    tunnel.server.kill()
    tunnel.start_server()
    tunnel.server.wait_for_log(REGISTERED)
    tunnel.wait_until_serving()
    assert not re.search(SHARED, tunnel.server.log())
