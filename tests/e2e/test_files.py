# SPDX-License-Identifier: MIT
"""curl against nginx through the tunnel: whole files both ways, compared by SHA-256."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import nginx
from harness.files import digest_of, make_file
from harness.programs import Pair
from harness.tunnel import Tunnel

pytestmark = [
    pytest.mark.pairs("all"),
    pytest.mark.skipif(nginx.path() is None, reason="nginx is not installed"),
]

SIZES = [0, 1, 65535, 65536, 65537, 10_000_000]
GIGABYTE = 1_000_000_000
DEADLINE = 100


@pytest.fixture(scope="module")
def web(pair: Pair, credentials, tmp_path_factory) -> Iterator[tuple[Tunnel, nginx.Nginx]]:
    service = nginx.Nginx(tmp_path_factory.mktemp("nginx"))
    tunnel = Tunnel(pair, credentials, tmp_path_factory.mktemp("web"), service=service)
    try:
        yield tunnel.start(), service
    finally:
        tunnel.stop()
        for file in service.files.iterdir():
            file.unlink()


def curl(*arguments: str) -> list[str]:
    return ["curl", "--silent", "--show-error", "--fail", "--max-time", str(DEADLINE), *arguments]


def download(tunnel: Tunnel, name: str) -> str:
    digest = hashlib.sha256()
    with subprocess.Popen(curl(tunnel.url(name)), stdout=subprocess.PIPE) as process:
        while block := process.stdout.read(1 << 20):
            digest.update(block)
    assert process.returncode == 0
    return digest.hexdigest()


def upload(tunnel: Tunnel, path: Path, name: str) -> None:
    subprocess.run(curl("--upload-file", str(path), tunnel.url(name)), check=True, stdout=subprocess.DEVNULL)


def assert_carried_both_ways(tunnel: Tunnel, service: nginx.Nginx, size: int) -> None:
    original = service.files / f"down-{size}"
    digest = make_file(original, size)
    assert download(tunnel, original.name) == digest
    upload(tunnel, original, f"up-{size}")
    assert digest_of(service.files / f"up-{size}") == digest


@pytest.mark.only("keeps_trailer_from_visitor")
@pytest.mark.parametrize("size", SIZES)
def test_a_file_arrives_whole_both_ways(web: tuple[Tunnel, nginx.Nginx], size: int):
    assert_carried_both_ways(*web, size)


@pytest.mark.pairs("own")
@pytest.mark.only("keeps_trailer_from_visitor")
def test_a_gigabyte_arrives_whole_both_ways(web: tuple[Tunnel, nginx.Nginx]):
    assert_carried_both_ways(*web, GIGABYTE)


@pytest.mark.pairs("fast")
@pytest.mark.only("keeps_trailer_from_visitor")
def test_a_large_file_arrives_whole_both_ways(web: tuple[Tunnel, nginx.Nginx]):
    assert_carried_both_ways(*web, GIGABYTE // 10)


def test_many_requests_on_one_kept_alive_connection(web: tuple[Tunnel, nginx.Nginx]):
    tunnel, service = web
    digest = make_file(service.files / "small", 5000)
    result = subprocess.run(curl(*[tunnel.url("small")] * 50, "--write-out", "%{stderr}%{num_connects}\n"),
                            capture_output=True, check=True)
    assert hashlib.sha256(result.stdout[:5000]).hexdigest() == digest
    assert result.stdout == result.stdout[:5000] * 50
    assert result.stderr.split().count(b"1") == 1, "one connection carries all requests"
