# SPDX-License-Identifier: MIT
"""Visitors whose client cannot serve them are given to another one, and wait for one that comes."""

import signal
import threading
import time

import pytest

REQUEST = b"GET / HTTP/1.1\r\n\r\n"


def test_the_request_of_a_visitor_whose_dial_fails_is_handed_over(make_sites):
    sites = make_sites()
    live, dead = sites.add("live"), sites.add("dead")
    dead.service.down()
    with_large_request = [sites.is_served(REQUEST + bytes(size)) for size in (0, 1, 10_000, 65_500, 65_600, 1_000_000)]
    assert all(with_large_request)
    assert live.visitors == len(with_large_request)


@pytest.mark.pairs("all")
@pytest.mark.only("hands_over_failed_dials")
def test_clients_of_any_make_hand_over_small_requests_whose_dial_fails(make_sites):
    """The dead service is avoided after its first failed dial, so each request meets a client of its own."""
    for size in (0, 1, 10_000):
        sites = make_sites()
        dead = sites.add("dead")
        live = sites.add("live")
        dead.service.down()
        assert all(sites.is_served(REQUEST + bytes(size)) for _ in range(3))
        assert live.visitors == 3
        sites.tunnel.server.wait_for_log("client cannot reach its local service")


@pytest.mark.pairs("all")
@pytest.mark.only("hands_over_failed_dials")
def test_clients_of_any_make_keep_the_visitors_of_a_service_that_hangs_up(make_sites):
    sites = make_sites()
    accepted = []
    for name in ("first", "second"):
        sites.add(name).service.behaviour = accepted.append
    assert not sites.is_served(REQUEST)
    assert len(accepted) == 1


def test_a_burst_of_visitors_loses_none_to_a_dead_service(make_sites):
    sites = make_sites(server={"load_balancer": "round-robin"})
    live, dead = sites.add("live"), sites.add("dead")
    dead.service.down()
    served = [False] * 50

    def visit(number: int) -> None:
        served[number] = sites.is_served(REQUEST)

    visitors = [threading.Thread(target=visit, args=(number,)) for number in range(len(served))]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert all(served)
    assert live.visitors == len(served)


def test_a_frozen_client_loses_no_visitor_of_an_eager_listener(make_sites):
    sites = make_sites(listener={"handover": "eager"})
    sites.add("live")
    frozen = sites.add("frozen")
    frozen.client.signal(signal.SIGSTOP)
    try:
        served = [sites.is_served(REQUEST) for _ in range(10)]
    finally:
        frozen.client.signal(signal.SIGCONT)
    assert all(served)


def test_a_killed_client_loses_no_visitor_of_an_eager_listener(make_sites):
    sites = make_sites(listener={"handover": "eager"})
    sites.add("live")
    doomed = sites.add("doomed")
    served = []

    def visit() -> None:
        served.append(sites.is_served(REQUEST))

    for number in range(20):
        if number == 5:
            doomed.client.kill()
        visit()
    assert all(served), served


def test_a_visitor_waits_for_a_client_as_long_as_the_listener_says(make_sites):
    sites = make_sites(listener={"wait_for_client": "1s"})
    began = time.monotonic()
    assert not sites.is_served(REQUEST)
    assert 0.9 < time.monotonic() - began < 3


def test_a_visitor_is_served_by_the_client_that_comes_while_it_waits(make_sites):
    sites = make_sites(listener={"wait_for_client": "20s"})
    served = []
    visitor = threading.Thread(target=lambda: served.append(sites.is_served(REQUEST)))
    visitor.start()
    sites.add("late")
    visitor.join()
    assert served == [True]
