# SPDX-License-Identifier: MIT
"""examples/ha: the cluster behind HAProxy runs from its very files, and its servers and clients may fail while visitors come."""

import itertools
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from harness import cluster
from harness.cluster import BALANCER, CLIENTS, EXAMPLE, SERVERS, SERVICES, Cluster
from harness.visitors import Crowd, Outcome
from harness.waiting import pass_time, wait_until

VISITORS_PER_SECOND = 20
# With handover: safe, the requests that a killed client had taken: at most one for each server, and one in service.
LOST_WITH_A_CLIENT_MAX = 3

_why_not = cluster.unavailable()
needs_machines = pytest.mark.skipif(_why_not is not None, reason=_why_not or "")


@pytest.fixture
def running(credentials, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path, credentials)
    try:
        yield made.start()
    finally:
        made.stop()


def crowd_of(running: Cluster) -> Crowd:
    """Visitors of both services in turn."""
    groups = itertools.cycle(SERVICES)
    return Crowd(lambda: running.visit(next(groups)), VISITORS_PER_SECOND)


def begin_again(running: Cluster, name: str) -> None:
    """Returns when visitors can use it: a server has all clients, a client both servers, and the balancer has noticed."""
    if name in CLIENTS:
        running.begin(name).wait_for_log("server connected", count=len(SERVERS))
        return
    # One that is back between two checks was never down for the balancer, which would then say nothing.
    wait_until(lambda: unused_by_balancer(running, name) == len(SERVICES), f"the balancer does not use {name}")
    running.begin(name).wait_for_log("client registered", count=len(CLIENTS))
    wait_until(lambda: unused_by_balancer(running, name) == 0, f"the balancer uses {name}")


def unused_by_balancer(running: Cluster, server: str) -> int:
    """In how many of its groups the balancer does not use that server."""
    log = running.process("balancer").log()
    names = [f"servers_{group}/{server}" for group in SERVICES]
    return sum(log.count(f"{name} is DOWN") > log.count(f"{name} is UP") for name in names)


def finish(crowd: Crowd) -> Outcome:
    outcome = crowd.finish()
    print(outcome)
    return outcome


@needs_machines
def test_a_server_and_a_client_may_be_killed_and_come_back(running: Cluster):
    crowd = crowd_of(running)
    crowd.after(1)
    running.process("server-1").kill()
    crowd.after(3)
    begin_again(running, "server-1")
    killed = time.monotonic()
    running.process("client-a-1").kill()
    pass_time(2)
    begin_again(running, "client-a-1")
    pass_time(1)
    outcome = finish(crowd)
    assert len(outcome.failures) <= LOST_WITH_A_CLIENT_MAX
    assert outcome.since(killed + 1).failures == []
    assert outcome.since(killed + 1).slow == []


@needs_machines
def test_servers_and_clients_may_be_stopped_one_after_another(running: Cluster):
    crowd = crowd_of(running)
    for name in ("server-1", "client-a-1", "server-2", "client-b-2"):
        assert running.process(name).stop() == 0
        begin_again(running, name)
    outcome = finish(crowd)
    assert outcome.failures == []
    assert outcome.longest < 5


# Files


@pytest.fixture
def unpacked(credentials, tmp_path: Path) -> Path:
    """A copy of the example, with certificates as its README makes them."""
    directory = tmp_path / "ha"
    shutil.copytree(EXAMPLE, directory, ignore=shutil.ignore_patterns("certs"))
    (directory / "certs").symlink_to(credentials.directory)
    return directory


def compose() -> dict:
    return yaml.safe_load((EXAMPLE / "compose.yaml").read_text())


def compose_services(image: str) -> dict[str, dict]:
    return {name: service for name, service in compose()["services"].items() if service["image"].split(":")[0] == image}


def test_every_file_of_the_example_is_right(qmux, unpacked: Path):
    for role, pattern in (("server", "server-*.yaml"), ("client", "client-*.yaml")):
        files = sorted(unpacked.glob(pattern))
        assert len(files) == 2
        for file in files:
            checked = qmux("config", "check", role, "-c", file.name, cwd=unpacked)
            assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


def test_compose_runs_commands_that_the_program_has_with_files_that_it_mounts(qmux, unpacked: Path):
    commands = {name: service["command"] for name, service in compose_services("qmux").items()}
    assert commands.pop("certs")[:2] == ["generate", "certs"]
    for name, (run, role, option, file) in commands.items():
        assert (run, option) == ("run", "-c")
        assert qmux("config", "check", role, option, file, cwd=unpacked).returncode == 0
        mounted = [volume.split(":")[1] for volume in compose()["services"][name]["volumes"]]
        wanted = [file, *re.findall(r"certs/\S+\.(?:crt|key)", (EXAMPLE / file).read_text())]
        assert sorted(mounted) == sorted(f"/etc/qmux/{name}" for name in wanted)


def test_compose_makes_the_certificates_that_it_mounts(qmux, tmp_path: Path):
    made = qmux(*compose()["services"]["certs"]["command"], cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    for service in compose()["services"].values():
        for volume in service.get("volumes", []):
            source = Path(volume.split(":")[0])
            assert (EXAMPLE / source).is_file() or (tmp_path / source).exists(), volume


def test_compose_and_the_files_name_the_same_addresses():
    services = compose()["services"]

    def address(name: str, of: str) -> str:
        return services[name]["networks"][of]["ipv4_address"]

    assert {name: address(name, "public") for name in SERVERS} == SERVERS
    assert address("balancer", "public") == BALANCER
    assert {group: address(f"service-{group}", "site") for group in SERVICES} == {
        group: host for group, (host, _) in SERVICES.items()
    }
    for host in re.findall(r"server (\S+) (\S+):\d+", (EXAMPLE / "haproxy.cfg").read_text()):
        assert host in SERVERS.items()


def test_compose_names_only_what_it_has(unpacked: Path):
    document = compose()
    for service in document["services"].values():
        assert set(service.get("networks", {})) <= set(document["networks"])
        assert set(service.get("depends_on", [])) <= set(document["services"])
        if "build" in service:
            top = EXAMPLE / service["build"]["context"]
            assert (top / service["build"]["dockerfile"]).is_file()
            assert (top / "dev").is_file(), "the context is the checkout"
