# SPDX-License-Identifier: MIT
"""One of two clients stops, is killed or freezes while visitors come at a steady rate."""

import contextlib
import signal

import pytest

from harness.service import exchange
from harness.visitors import Outcome, under_load

PER_SECOND = 40
LEAD, TAIL = 0.5, 2.0
# A client that does not answer a new visitor is left out after half a second; the rest is for a busy machine.
LEFT_OUT_AFTER = 1.0
# With handover: safe, what a killed client had been given until then. As long as it answers none, least-connections gives it one.
LOST_MAX = 3


def during(sites, change, after=None) -> tuple[float, Outcome]:
    moment, outcome = under_load(sites.serve_one, change, after, per_second=PER_SECOND, lead=LEAD, tail=TAIL)
    print(outcome)
    return moment, outcome


def test_a_client_that_is_stopped_under_load_fails_no_visitor_and_cuts_no_tunnel(make_sites):
    sites = make_sites()
    leaving, _ = sites.add("leaving"), sites.add("staying")
    with contextlib.ExitStack() as stack:
        guests = [stack.enter_context(sites.enter()) for _ in range(6)]
        _, outcome = during(sites, lambda: leaving.client.signal(signal.SIGTERM))
        for guest in guests:
            assert exchange(guest, b"still here") == b"still here"
        assert leaving.client.alive(), "it has some of them"
    assert leaving.client.wait() == 0
    assert outcome.failures == []
    assert outcome.slow == []


@pytest.mark.parametrize(("handover", "lost_max"), [("safe", LOST_MAX), ("eager", 0)])
def test_a_client_that_is_killed_under_load_fails_few_visitors(make_sites, handover: str, lost_max: float):
    sites = make_sites(listener={"handover": handover})
    doomed, _ = sites.add("doomed"), sites.add("staying")
    moment, outcome = during(sites, doomed.client.kill)
    assert len(outcome.failures) <= lost_max
    late = outcome.since(moment + LEFT_OUT_AFTER)
    assert (late.failures, late.slow) == ([], [])


def test_a_client_that_is_frozen_under_load_is_left_out_soon_and_loses_none(make_sites):
    sites = make_sites()
    cold, _ = sites.add("cold"), sites.add("staying")
    moment, outcome = during(sites, lambda: cold.client.signal(signal.SIGSTOP), lambda: cold.client.signal(signal.SIGCONT))
    assert outcome.failures == []
    assert outcome.since(moment + LEFT_OUT_AFTER).slow == []
