# SPDX-License-Identifier: MIT
"""How our server shares visitors out among clients: one whose service is down, and several of one name."""

import contextlib

import pytest

from harness.sites import ANSWER, Sites
from harness.waiting import wait_until

pytestmark = [
    pytest.mark.pairs("all"),
    pytest.mark.only("own_server"),
    pytest.mark.parametrize("balance", ["least-connections", "round-robin"]),
]


@pytest.fixture
def sites(make_sites, balance) -> Sites:
    return make_sites(server={"load_balancer": balance})


def test_a_client_whose_service_is_down_costs_few_visitors(sites):
    sites.add("healthy")
    dead = sites.add("dead")
    dead.service.down()
    served = [sites.is_served() for _ in range(50)]
    assert all(served) or not sites.tunnel.pair.hands_over_failed_dials
    assert served.count(False) <= 3
    assert dead.visitors == 0
    dead.service.up()

    def dead_serves() -> bool:
        sites.is_served()
        return dead.visitors > 0

    wait_until(dead_serves, "the client gets visitors again", 15)


def test_a_client_whose_service_is_down_is_better_than_none(sites):
    dead = sites.add("dead")
    dead.service.down()
    for _ in range(3):
        assert not sites.is_served()
    dead.service.up()
    assert sites.is_served(), "at once"


def test_clients_of_one_name_share_visitors_evenly_though_one_has_just_come(sites):
    made = [sites.add(name, "same") for name in ("first", "second", "newcomer")]
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            visitor = stack.enter_context(sites.tunnel.visit())
            assert visitor.recv(len(ANSWER)) == ANSWER
    shares = [site.visitors for site in made]
    assert all(19 <= share <= 21 for share in shares), shares
