# SPDX-License-Identifier: MIT
"""One of two clients is stopped, killed or frozen while visitors come."""

import contextlib
import signal
import time

from harness.service import exchange
from harness.visitors import Outcome, under_load

from report import Target, table

PER_SECOND = 50
LEAD, TAIL = 1.0, 4.0
SERVICE_SECONDS = 0.1
GUESTS = 10  # visitors that stay while a client is stopped
LEFT_OUT_AFTER = 0.5  # s; a client that does not answer gets no visitor from then on


def unavailable():
    return None


def load(sites, change, after=None):
    """Returns the moment of the change and how the visitors fared."""
    return under_load(lambda: sites.serve_one(timeout=20), change, after, per_second=PER_SECOND, lead=LEAD, tail=TAIL)


def counts(outcome: Outcome):
    return {"visitors": len(outcome.visits), "failed": len(outcome.failures), "slow": len(outcome.slow),
            "longest_s": outcome.longest}


def answers(guest):
    try:
        return exchange(guest, b"still here") == b"still here"
    except (OSError, EOFError):
        return False


def think_first(site):
    """Its visitors are in service for a while, so that a client always has some."""

    def serve(sock):
        time.sleep(SERVICE_SECONDS)
        site.serve(sock)

    site.service.behaviour = serve


def stopped(stage):
    with stage.two_sites() as (sites, leaving, staying), contextlib.ExitStack() as stack:
        for site in (leaving, staying):
            think_first(site)
        guests = [stack.enter_context(sites.enter()) for _ in range(GUESTS)]
        _, outcome = load(sites, lambda: leaving.client.signal(signal.SIGTERM))
        return counts(outcome) | {"cut": sum(not answers(guest) for guest in guests)}


def killed(stage, handover):
    with stage.two_sites(handover=handover) as (sites, doomed, _):
        return counts(load(sites, doomed.client.kill)[1])


def frozen(stage):
    """Those that came when the client had been silent for long enough."""
    with stage.two_sites() as (sites, cold, _):
        moment, outcome = load(sites, lambda: cold.client.signal(signal.SIGSTOP), lambda: cold.client.signal(signal.SIGCONT))
        return counts(outcome.since(moment + LEFT_OUT_AFTER))


def measure(stage):
    return {
        "client stopped": stopped(stage),
        "client killed, safe": killed(stage, "safe"),
        "client killed, eager": killed(stage, "eager"),
        "client frozen": frozen(stage),
    }


def show(figures):
    for name in ("client stopped", "client killed, safe", "client killed, eager", "client frozen"):
        rows = []
        for program, figure in figures.items():
            own = figure[name]
            rows.append((program, [own["visitors"], own["failed"], own["slow"], f"{own['longest_s']:.2f}", own.get("cut", "")]))
        title = f"{name} under load, one of two, {PER_SECOND} visitors a second"
        if name == "client frozen":
            title += f"; those that came after {LEFT_OUT_AFTER * 1000:.0f} ms"
        table(title, ["visitors", "failed", "over 1 s", "longest, s", "cut"], rows)


def targets(own):
    if "client stopped" not in own:
        return {}
    return {
        "ha_stopped_failed": Target(own["client stopped"]["failed"], "under", 1, "visitors failed, a client stopped under load"),
        "ha_stopped_cut": Target(own["client stopped"]["cut"], "under", 1, "tunnels cut, a client stopped under load"),
        "ha_killed_safe_failed": Target(own["client killed, safe"]["failed"], "under", 4,
                                        "visitors failed, a client killed under load, safe"),
        "ha_killed_eager_failed": Target(own["client killed, eager"]["failed"], "under", 1,
                                         "visitors failed, a client killed under load, eager"),
        "ha_frozen_given": Target(own["client frozen"]["failed"] + own["client frozen"]["slow"], "under", 1,
                                  f"visitors failed or slow from {LEFT_OUT_AFTER * 1000:.0f} ms after a client froze"),
    }
