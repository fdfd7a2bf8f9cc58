# SPDX-License-Identifier: MIT
"""The client's address, or what a NAT makes of it, changes."""

import contextlib
import queue
import statistics
import threading
import time

from harness import namespaces
from harness.flow import Flow, send_every
from harness.link import Link
from harness.namespaces import Cable
from harness.programs import OURS
from harness.service import echo, exchange
from harness.split import SplitTunnel
from harness.waiting import pass_time

from report import Target, table

DELAY = 0.02  # s, one way, on the link with the NAT
RTT = 2 * DELAY
GUESTS = 10
# What is measured in these seconds, and counts as so long when it does not end in them.
WATCHED = 3.0
DEADLINE = 15.0
TARGETS = {
    "address changed, stall": (3 * RTT + 0.05, "seconds of stall of open tunnels, the client's address changed"),
    "address changed, new visitor": (2.0, "seconds for a new visitor, the client's address changed"),
    "NAT rebinding, download": (3 * RTT + 0.05, f"seconds of stall, NAT rebinding in a download, round trip {RTT * 1000:.0f} ms"),
    "NAT rebinding, server sends": (1.5, "seconds of stall, NAT rebinding while only the server sends"),
    "NAT rebinding, idle": (2.0, "seconds for the first visitor, NAT rebinding while idle"),
}


def unavailable():
    return None


def settings(tunnel):
    """As users have them: no heartbeat hides what the programs do by themselves."""
    for document in (tunnel.server_settings, tunnel.client_settings):
        document |= {"heartbeat_interval": "10s", "health_timeout": "30s"}


class Pulse:
    """A visitor that stays and sends a few bytes again and again, each time when it has those before back."""

    def __init__(self, visitor):
        self.visitor, self.longest, self.cut = visitor, 0.0, False
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._left.wait(0.02):
                began = time.monotonic()
                self.cut = exchange(self.visitor, b"pulse") != b"pulse"
                self.longest = max(self.longest, time.monotonic() - began)
        except (OSError, EOFError):
            self.cut = True

    def finish(self):
        self._left.set()
        self._thread.join(DEADLINE)
        self.cut = self.cut or self._thread.is_alive()


def address_changed(stage):
    with contextlib.ExitStack() as stack:
        cable = Cable()
        stack.callback(cable.delete)
        tunnel = stage.tunnel(SplitTunnel, cable, quic_host=Cable.SERVER)
        stack.callback(tunnel.stop)
        settings(tunnel)
        tunnel.start().wait_until_serving()
        pulses = [Pulse(stack.enter_context(tunnel.visit(timeout=DEADLINE))) for _ in range(GUESTS)]
        pass_time(0.5)
        cable.move_client()
        newcomer = tunnel.seconds_until_serving(DEADLINE)
        pass_time(WATCHED)
        for pulse in pulses:
            pulse.finish()
        cut = sum(pulse.cut for pulse in pulses)
        return {
            "address changed, cut": cut,
            "address changed, stall": DEADLINE if cut else max(pulse.longest for pulse in pulses),
            "address changed, new visitor": newcomer,
        }


def stall(link, flow, quiet=0.0):
    """The longest time without a byte after a rebinding. `quiet`: how long before it the last byte came."""
    flow.goes_on()
    pass_time(1.0)
    flow.goes_on()
    pass_time(quiet)
    moment = time.monotonic()
    link.rebind(lose_in_flight=True)
    pass_time(WATCHED)
    return flow.longest_gap(moment)


def stall_of_download(tunnel, link, leave):
    """At 50 Mbit/s."""
    tunnel.service.behaviour = send_every(0.01, bytes(64 * 1024), leave)
    with tunnel.visit(timeout=DEADLINE) as visitor:
        return stall(link, Flow(visitor))


def stall_of_upload(tunnel, link, leave):
    """A little at a time: between server and client only the server sends. When the NAT changes, the client has acknowledged what
    has come, so it has no reason of its own to send anything."""
    flows = queue.Queue()

    def receive(sock):
        flows.put(Flow(sock))
        leave.wait(60)

    tunnel.service.behaviour = receive
    with tunnel.visit(timeout=DEADLINE) as visitor:
        threading.Thread(target=send_every(0.4, b".", leave), args=(visitor,), daemon=True).start()
        return stall(link, flows.get(timeout=DEADLINE), quiet=0.2)


def nat_rebinding(stage):
    with contextlib.ExitStack() as stack:
        tunnel = stage.tunnel()
        link = Link((tunnel.host, tunnel.quic_port), delay=DELAY)
        stack.callback(link.close)
        stack.callback(tunnel.stop)
        settings(tunnel)
        tunnel.client_settings["server"]["servers"][0]["address"] = tunnel.address(link.port)
        tunnel.start().wait_until_serving()
        leave = threading.Event()
        stack.callback(leave.set)
        figures = {
            "NAT rebinding, download": stall_of_download(tunnel, link, leave),
            "NAT rebinding, server sends": stall_of_upload(tunnel, link, leave),
        }
        tunnel.service.behaviour = echo
        tunnel.wait_until_serving()
        pass_time(2.0)  # idle, so that nothing is under way
        link.rebind(lose_in_flight=True)
        return figures | {"NAT rebinding, idle": tunnel.seconds_until_serving(DEADLINE)}


def measure(stage):
    results = {}
    for scenario in (address_changed, nat_rebinding):
        if scenario is address_changed and (reason := namespaces.unavailable()):
            print(f"\nnot measured: {reason}")
            continue
        try:
            runs = [scenario(stage) for _ in range(stage.runs)]
        except AssertionError as error:
            if stage.program is OURS:
                raise
            print(f"\n{stage.program.name}: {scenario.__name__}: {error}")
            continue
        results |= {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    return results


def show(figures):
    rows = []
    for name in ("address changed, cut", *TARGETS):
        rows.append((name, [f"{figure[name]:.3f}" if name in figure else "-" for figure in figures.values()]))
    table("seconds that visitors wait, and tunnels cut (of 10)", list(figures), rows)


def targets(own):
    cut = Target(own.get("address changed, cut"), "under", 1, "tunnels cut, the client's address changed")
    return {"ha_address_cut": cut} | {
        "ha_" + name.replace(", ", "_").replace(" ", "_").lower(): Target(own.get(name), "under", limit, what)
        for name, (limit, what) in TARGETS.items()
    }
