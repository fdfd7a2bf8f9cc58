# SPDX-License-Identifier: MIT
"""Programs that everybody uses, by UDP through a tunnel: a name server, iperf3, QUIC."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.certificates import SERVER_NAME, Credentials
from harness.ports import free_port
from harness.process import Process
from harness.tunnel import Tunnel

# dnsmasq takes no longer lines, so an answer is of several records.
TXT_BYTES_MAX = 200
TXT_HEADER_BYTES = 13


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@pytest.fixture
def tunnel_to(make_tunnel, pair) -> Callable[[int], Tunnel]:
    """Makes a tunnel to a service of the test's own on that port."""

    def make(port: int) -> Tunnel:
        tunnel = make_tunnel(pair, protocol="both")
        tunnel.client_settings["local"]["port"] = port
        return tunnel.start()

    return make


# Names


ANSWER_BYTES = [100, 400, 512, 1000, 1200, 1232, 1400, 1500, 2000, 3000, 4000]


@pytest.fixture
def name_server(tmp_path: Path):
    """Has for each size a name whose answer is of about that many bytes. Yields its port."""
    port = free_port()
    records = [f"txt-record=of-{size}.test,{text}" for size in ANSWER_BYTES for text in texts_of(size)]
    config = tmp_path / "dnsmasq.conf"
    config.write_text("\n".join([
        "no-resolv", "no-hosts", "bind-interfaces", "listen-address=127.0.0.1", f"port={port}", "edns-packet-max=4096",
        "user=", "pid-file", *records,
    ]) + "\n")
    process = Process("dnsmasq", ["dnsmasq", "--keep-in-foreground", "--log-facility=-", f"--conf-file={config}"],
                      tmp_path / "dnsmasq.log")
    process.wait_for_log("started")
    yield port
    process.kill()


def texts_of(size: int) -> list[str]:
    """The texts of records that take `size` bytes together."""
    alphabet = "abcdefghijklmnopqrstuvwxyz" * (TXT_BYTES_MAX // 26 + 1)
    texts = []
    while size > TXT_HEADER_BYTES:
        length = min(size - TXT_HEADER_BYTES, TXT_BYTES_MAX)
        texts.append(f"{len(texts)}{alphabet}"[:length])
        size -= TXT_HEADER_BYTES + length
    return texts


@needs("dnsmasq", "dig")
@pytest.mark.pairs("all")
def test_dig_gets_answers_of_every_size(tunnel_to, name_server: int):
    tunnel = tunnel_to(name_server)
    for size in ANSWER_BYTES:
        answer = subprocess.run(
            ["dig", f"@{tunnel.host}", "-p", str(tunnel.traffic_port), f"of-{size}.test", "TXT", "+short", "+notcp", "+ignore",
             "+bufsize=4096", "+time=2", "+tries=3"], capture_output=True, text=True, timeout=20, check=False)
        texts = answer.stdout.replace('"', "").split()
        assert sorted(texts) == sorted(texts_of(size)), answer.stdout + answer.stderr


# iperf3


@pytest.fixture
def iperf_server(tmp_path: Path):
    """Yields its port."""
    port = free_port()
    process = Process("iperf3", ["iperf3", "-s", "-B", "127.0.0.1", "-p", str(port), "--forceflush"], tmp_path / "iperf3.log")
    process.wait_for_log("listening")
    yield port
    process.kill()


@needs("iperf3")
@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("size", [1200, 1400])
def test_iperf3_at_a_fixed_rate_loses_nothing(tunnel_to, iperf_server: int, size: int, direction: str):
    tunnel = tunnel_to(iperf_server)
    command = ["iperf3", "-c", tunnel.host, "-p", str(tunnel.traffic_port), "-u", "-b", "50M", "-l", str(size), "-t", "3",
               "-w", "2M", "--json", *(["-R"] if direction == "down" else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    report = json.loads(done.stdout)
    assert "error" not in report, report["error"]
    total = report["end"]["sum"]
    assert total["packets"] > 3 * 50e6 / 8 / size * 0.95
    assert total["lost_packets"] == 0


# QUIC


@pytest.mark.parametrize("size", [1, 100_000, 4 * 1024 * 1024])
def test_a_quic_connection_through_the_tunnel(tunnel_to, credentials: Credentials, size: int):
    pytest.importorskip("aioquic")
    from aioquic.asyncio import connect, serve
    from aioquic.quic.configuration import QuicConfiguration

    port = free_port()
    data = os.urandom(size)

    def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def work():
            writer.write(await reader.read())
            writer.write_eof()

        task = asyncio.ensure_future(work())
        tasks.add(task)

    async def script():
        server_settings = QuicConfiguration(is_client=False, alpn_protocols=["echo"])
        server_settings.load_cert_chain(str(credentials.server_crt), str(credentials.server_key))
        server = await serve("127.0.0.1", port, configuration=server_settings, stream_handler=echo)
        tunnel = await asyncio.to_thread(tunnel_to, port)
        settings = QuicConfiguration(is_client=True, alpn_protocols=["echo"], server_name=SERVER_NAME)
        settings.load_verify_locations(str(credentials.ca_crt))
        async with asyncio.timeout(60), connect(tunnel.host, tunnel.traffic_port, configuration=settings) as connection:
            for _ in range(2):
                reader, writer = await connection.create_stream()
                writer.write(data)
                writer.write_eof()
                assert await reader.read() == data
        server.close()

    tasks: set[asyncio.Task] = set()
    asyncio.run(script())
