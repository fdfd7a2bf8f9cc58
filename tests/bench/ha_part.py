# SPDX-License-Identifier: MIT
"""High availability: what visitors notice when clients, servers and networks fail, from the tests' harness."""

import contextlib
import dataclasses
import itertools
import pathlib

from harness.certificates import Credentials
from harness.programs import OURS, REFERENCE_PROGRAM, Pair, Program
from harness.sites import sites_of
from harness.tunnel import Tunnel

import ha_clients
import ha_cluster
import ha_network
import ha_servers

SCENARIOS = (ha_clients, ha_network, ha_servers, ha_cluster)


def program_of(name: str, path: str) -> Program:
    """A peer may be a Go program or another build of ours."""
    return dataclasses.replace(
        REFERENCE_PROGRAM, name=name, command=(str(path),),
        server_ready=f"{OURS.server_ready}|{REFERENCE_PROGRAM.server_ready}",
        client_ready=f"{OURS.client_ready}|{REFERENCE_PROGRAM.client_ready}",
    )


class Stage:
    """Makes what a scenario needs, for one program in both roles."""

    def __init__(self, setting, program: Program):
        self.program = program
        self.runs = setting.runs if program is OURS else 1
        self.credentials = Credentials(setting.certs)
        self._directory = setting.directory
        self._numbers = itertools.count()

    def directory(self) -> pathlib.Path:
        made = self._directory / f"ha-{self.program.name}-{next(self._numbers)}"
        made.mkdir()
        return made

    def tunnel(self, make=Tunnel, *first, **options):
        """Not yet started."""
        return make(*first, Pair(self.program, self.program), self.credentials, self.directory(), **options)

    @contextlib.contextmanager
    def two_sites(self, **listener):
        """A server with two clients, each with its service. `listener`: keys besides the usual ones."""
        tunnel = self.tunnel(health_timeout="10s")
        tunnel.server_settings["listeners"][0] |= listener
        try:
            tunnel.start_server()
            with sites_of(tunnel) as sites:
                yield sites, sites.add("first"), sites.add("second")
        finally:
            tunnel.stop()


def run(setting):
    """Returns the figures by program."""
    stages = [Stage(setting, program) for program in (OURS, *(program_of(*peer) for peer in setting.peers))]
    figures = {stage.program.name: {} for stage in stages}
    for scenario in SCENARIOS:
        if reason := scenario.unavailable():
            print(f"\nnot measured: {reason}")
            continue
        for stage in stages:
            figures[stage.program.name] |= scenario.measure(stage)
        scenario.show(figures)
    return figures


def targets(figures):
    return {name: target for scenario in SCENARIOS for name, target in scenario.targets(figures[OURS.name]).items()}
