# SPDX-License-Identifier: MIT
"""A server is restarted: how long until a visitor is served again."""

import contextlib

from harness.service import exchange
from harness.waiting import pass_time

from report import Target, table

HEARTBEAT = 3.0
DOWN = (1.0, 0.3, 2.0)  # s, one for each run
DEADLINE = 20.0
WAYS = {"stopped": 1.0, "killed, tunnels open": 1.0, "killed, idle": HEARTBEAT}


def unavailable():
    return None


def restart(stage, way, down):
    """Seconds from the moment at which the new server listens. DEADLINE when no visitor is served by then."""
    tunnel = stage.tunnel(heartbeat=f"{HEARTBEAT:g}s", health_timeout="30s")
    tunnel.server_settings["listeners"][0]["wait_for_client"] = "30s"
    with contextlib.ExitStack() as stack:
        stack.callback(tunnel.stop)
        tunnel.start().wait_until_serving()
        if way == "killed, tunnels open":
            for _ in range(5):
                exchange(stack.enter_context(tunnel.visit()), b"open")
        if way == "stopped":
            tunnel.server.stop()
        else:
            tunnel.server.kill()
        pass_time(down)
        tunnel.start_server()
        return tunnel.seconds_until_serving(DEADLINE)


def measure(stage):
    """The worst of the runs: how long it takes depends on where the attempts of the client fall."""
    return {f"server {way}": max(restart(stage, way, down) for down in DOWN[: stage.runs]) for way in WAYS}


def show(figures):
    rows = [(f"server {way}", [f"{figure[f'server {way}']:.2f}" for figure in figures.values()]) for way in WAYS]
    table(f"restarted server, seconds until a visitor is served; heartbeats every {HEARTBEAT:g} s", list(figures), rows)


def targets(own):
    return {
        "ha_server_" + way.replace(", ", "_").replace(" ", "_"): Target(own[f"server {way}"], "under", limit,
                                                                     f"seconds until clients are back, server {way}")
        for way, limit in WAYS.items()
    }
