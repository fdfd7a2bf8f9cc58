# SPDX-License-Identifier: MIT
"""SIGHUP: a terminal that closes (tests/e2e/test_reload.py: a request to reload)."""

import os
import pty
import re
import signal
import subprocess

import pytest
import yaml

from harness.programs import BINARY, OWN
from harness.waiting import wait_until

DEFAULT = ("env", "--default-signal=HUP")
IGNORED = ("env", "--ignore-signal=HUP")


def start(make_tunnel, within: tuple[str, ...]):
    """A tunnel whose programs find SIGHUP as `within` leaves it, whatever runs these tests."""
    tunnel = make_tunnel(OWN)
    tunnel.server = tunnel.spawn("server", tunnel.server_settings, within=within)
    tunnel.server.wait_for_log(OWN.server.server_ready)
    tunnel.client = tunnel.spawn("client", tunnel.client_settings, within=within)
    tunnel.wait_until_serving()
    return tunnel


def stop(program) -> None:
    program.signal(signal.SIGTERM)
    assert program.wait() == 0


def test_hang_up_that_is_ignored_from_the_start_stays_so(make_tunnel):
    """As nohup wants it."""
    tunnel = start(make_tunnel, IGNORED)
    for program in (tunnel.server, tunnel.client):
        program.signal(signal.SIGHUP)
    assert tunnel.serves() and tunnel.alive()
    for program in (tunnel.client, tunnel.server):
        stop(program)
        assert "reload" not in program.log()


def test_server_outlives_its_terminal(make_tunnel):
    """Its log has no reader any more; it serves on."""
    tunnel = make_tunnel(OWN)
    config = tunnel.directory / "server.yaml"
    config.write_text(yaml.safe_dump(tunnel.server_settings))
    ours, its = pty.openpty()
    command = ["setsid", "--ctty", *DEFAULT, str(BINARY), "run", "server", "-c", str(config)]
    server = subprocess.Popen(command, stdin=its, stdout=its, stderr=its)
    try:
        os.close(its)
        said = b""
        while not re.search(OWN.server.server_ready, said.decode()):
            said += os.read(ours, 4096)
        os.close(ours)
        tunnel.spawn_client()
        tunnel.wait_until_serving()
        assert server.poll() is None
        server.send_signal(signal.SIGTERM)
        wait_until(lambda: server.poll() is not None, "the server ends")
        assert server.returncode == 0
    finally:
        server.kill()
        server.wait()
