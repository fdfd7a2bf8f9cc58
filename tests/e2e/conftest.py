# SPDX-License-Identifier: MIT
"""Fixtures: which programs play server and client, certificates, running tunnels."""

import itertools
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.certificates import SERVER_NAME, Authority, Credentials
from harness.kinds import Openssl, kind_named
from harness.process import Process
from harness.programs import BINARY, INTEROP, OURS, OWN, REFERENCE, Pair, pair_named
from harness.service import Service, echo
from harness.sites import Sites, sites_of
from harness.tunnel import Tunnel
from harness.udp import echo_datagram

# Programs started from here find SIGHUP as it is by default, also where whatever runs these tests ignores it, as nohup does.
signal.signal(signal.SIGHUP, lambda *_: None)

LOG_LINES_SHOWN = 60
_NO_PAIR = object()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pairs", help="server:client[,...] to run with instead of the usual pairs; names are those of "
                                     "harness/programs.py. Proves the suite itself against other programs")
    parser.addoption("--certificates", help="the kind of certificates to run with, by its name in harness/kinds.py. "
                                            "Those that our program makes by itself, when absent")


def pytest_report_header() -> list[str]:
    return [f"qmux: {BINARY}", f"Go QMux: {REFERENCE or 'none, QMUX_REFERENCE names one'}"]


def _chosen_pairs(config: pytest.Config, which: str) -> list[Pair]:
    named = config.getoption("--pairs")
    if named:
        pairs = [pair_named(name) for name in named.split(",")]
    else:
        pairs = [OWN] if which == "own" else [OWN, *INTEROP]
    return [pair for pair in pairs if pair.fast] if which == "fast" else pairs


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What a pair cannot promise is not asked of it: no test is made. Skipped is what this machine cannot do."""
    if "pair" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("pairs")
    pairs = _chosen_pairs(metafunc.config, marker.args[0] if marker else "own")
    for only in metafunc.definition.iter_markers("only"):
        pairs = [pair for pair in pairs if getattr(pair, only.args[0])]
    metafunc.parametrize("pair", pairs or [_NO_PAIR], ids=[pair.name for pair in pairs] or ["none"], scope="session",
                         indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if _pair_of(item) is not _NO_PAIR]


def _pair_of(item: pytest.Item) -> Pair | object | None:
    return item.callspec.params.get("pair") if hasattr(item, "callspec") else None


@pytest.fixture(scope="session")
def pair(request: pytest.FixtureRequest) -> Pair:
    missing = request.param.missing()
    if missing and request.param.optional:
        pytest.skip(missing)
    assert not missing, missing
    return request.param


@pytest.fixture(scope="session")
def qmux() -> Callable[..., subprocess.CompletedProcess]:
    """Runs our binary to its end and returns what came of it."""
    assert OURS.present(), f"no program at {BINARY}"

    def run(*arguments: str, deadline: float = 20, **options) -> subprocess.CompletedProcess:
        return subprocess.run([str(BINARY), *arguments], capture_output=True, text=True, timeout=deadline,
                              stdin=subprocess.DEVNULL, **options)

    return run


@pytest.fixture(scope="session")
def credentials(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Credentials:
    """Good certificates: those our own program makes, where there is one."""
    directory = tmp_path_factory.mktemp("certs")
    if kind := request.config.getoption("--certificates"):
        return kind_named(kind).write(directory / kind, Openssl(directory / "openssl"))
    if not OURS.present() and request.config.getoption("--pairs"):
        return Authority().write(directory)
    subprocess.run([str(BINARY), "generate", "certs", "-s", f"{SERVER_NAME},localhost", "-o", str(directory)],
                   check=True, timeout=30)
    return Credentials(directory)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority whose key the tests hold, to make certificates of every kind."""
    return Authority()


@pytest.fixture
def make_tunnel(credentials: Credentials, tmp_path: Path) -> Iterator[Callable[..., Tunnel]]:
    """Tunnels of this test alone, stopped at its end; not yet started."""
    made: list[Tunnel] = []
    numbers = itertools.count()

    def make(pair: Pair, **options) -> Tunnel:
        directory = tmp_path / f"tunnel-{next(numbers)}"
        directory.mkdir()
        tunnel = Tunnel(pair, options.pop("credentials", credentials), directory, **options)
        made.append(tunnel)
        return tunnel

    yield make
    for tunnel in made:
        tunnel.stop()


@pytest.fixture
def make_sites(make_tunnel, pair: Pair) -> Iterator[Callable[..., Sites]]:
    """Several clients, none of them yet, of a server that runs with these settings besides the usual ones."""
    with ExitStack() as stack:

        def make(*, server: dict | None = None, client: dict | None = None, listener: dict | None = None) -> Sites:
            tunnel = make_tunnel(pair)
            tunnel.server_settings |= server or {}
            tunnel.server_settings["listeners"][0] |= listener or {}
            tunnel.client_settings |= client or {}
            tunnel.start_server()
            return stack.enter_context(sites_of(tunnel))

        yield make


@pytest.fixture(scope="session")
def _shared_tunnel(pair: Pair, credentials: Credentials, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tunnel]:
    tunnel = Tunnel(pair, credentials, tmp_path_factory.mktemp("shared"))
    try:
        yield tunnel.start()
    finally:
        tunnel.stop()


@pytest.fixture
def tunnel(_shared_tunnel: Tunnel) -> Iterator[Tunnel]:
    """A running tunnel that tests of one pair share, its service an echo at first. It must outlive the test."""
    _shared_tunnel.service.behaviour = echo
    yield _shared_tunnel
    assert _shared_tunnel.alive(), "a program ended during the test"


@pytest.fixture(scope="session")
def _shared_udp_tunnel(pair: Pair, credentials: Credentials,
                       tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tunnel]:
    tunnel = Tunnel(pair, credentials, tmp_path_factory.mktemp("shared-udp"), protocol="both")
    try:
        tunnel.start().wait_until_serving_udp()
        yield tunnel
    finally:
        tunnel.stop()


@pytest.fixture
def udp_tunnel(_shared_udp_tunnel: Tunnel) -> Iterator[Tunnel]:
    """Likewise, for TCP and UDP."""
    _shared_udp_tunnel.service.behaviour = echo
    _shared_udp_tunnel.udp_service.answers = echo_datagram
    yield _shared_udp_tunnel
    assert _shared_udp_tunnel.alive(), "a program ended during the test"


@pytest.fixture
def service() -> Iterator[Service]:
    local = Service()
    yield local
    local.down()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = (yield).get_result()
    if report.failed:
        for process in Process.started_lately():
            tail = "\n".join(process.log().splitlines()[-LOG_LINES_SHOWN:])
            report.sections.append((f"log of {process.name}", tail))
