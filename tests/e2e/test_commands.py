# SPDX-License-Identifier: MIT
"""The command line: version, help, certificates, example configurations, demo."""

import os
import re
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from harness.ports import free_port
from harness.process import Process
from harness.programs import BINARY
from harness.service import Service
from harness.waiting import wait_until

SIX_FILES = {"ca.crt", "ca.key", "server.crt", "server.key", "client.crt", "client.key"}
DEMO_DEADLINE = 60


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True, timeout=20).stdout


def text_of(certificate: Path) -> str:
    return openssl("x509", "-noout", "-text", "-in", str(certificate))


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_version_stands_alone_on_standard_output(qmux, flag: str):
    result = qmux(flag)
    assert result.returncode == 0
    assert re.fullmatch(r"v?\d+\.\d+\.\d+\S*\n", result.stdout)
    assert result.stderr == ""


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",)])
def test_help_names_the_commands(qmux, arguments: tuple[str, ...]):
    result = qmux(*arguments)
    assert result.returncode == 0
    for command in ("run", "generate", "config", "demo"):
        assert command in result.stdout


@pytest.mark.parametrize("arguments", [("rnu",), ("run", "sever"), ("--nonsense",), ("generate", "certs")])
def test_wrong_command_line_is_refused(qmux, arguments: tuple[str, ...], tmp_path: Path):
    result = qmux(*arguments, cwd=tmp_path)
    assert result.returncode != 0
    assert result.stdout == "" and "qmux" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_output_that_cannot_be_written_is_a_failure(qmux, tmp_path: Path):
    qmux("generate", "config", "server", "-o", "server.yaml", cwd=tmp_path).check_returncode()
    for arguments in [("--version",), ("--help",), ("generate", "config", "client", "-o", "client.yaml"),
                      ("generate", "certs", "-s", "a.example"), ("config", "check", "server", "-c", "server.yaml")]:
        with open("/dev/full", "w") as full:
            result = subprocess.run([BINARY, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20,
                                    cwd=tmp_path)
        assert result.returncode == 1, arguments
        assert "standard output" in result.stderr


@pytest.mark.parametrize("arguments", [("run", "server", "-c", ""), ("generate", "certs", "-s", "a.example", "-o", "")])
def test_empty_path_is_refused(qmux, arguments: tuple[str, ...], tmp_path: Path):
    result = qmux(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "an empty name" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_certificates_are_as_openssl_and_the_file_system_want_them(qmux, tmp_path: Path):
    certs = tmp_path / "made"
    qmux("generate", "certs", "-s", "a.example,b.example", "-s", "192.0.2.7", "-o", str(certs)).check_returncode()
    assert {file.name for file in certs.iterdir()} == SIX_FILES
    for file in certs.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == (0o600 if file.suffix == ".key" else 0o644), file.name
    ca = ("-CAfile", str(certs / "ca.crt"))
    for name in ("a.example", "b.example", "qmux-server"):
        openssl("verify", "-x509_strict", *ca, "-purpose", "sslserver", "-verify_hostname", name, str(certs / "server.crt"))
    for address in ("192.0.2.7", "127.0.0.1", "::1"):
        openssl("verify", *ca, "-purpose", "sslserver", "-verify_ip", address, str(certs / "server.crt"))
    openssl("verify", "-x509_strict", *ca, "-purpose", "sslclient", str(certs / "client.crt"))
    assert "prime256v1" in text_of(certs / "server.crt")


def test_certificates_of_the_old_kind(qmux, tmp_path: Path):
    qmux("generate", "certs", "-s", "a.example", "-y", "2", "--key-type", "rsa", cwd=tmp_path).check_returncode()
    certs = tmp_path / "certs"
    assert "4096 bit" in text_of(certs / "ca.crt")
    assert "2048 bit" in text_of(certs / "server.crt")
    openssl("verify", "-CAfile", str(certs / "ca.crt"), "-purpose", "sslclient", str(certs / "client.crt"))
    openssl("x509", "-checkend", str(700 * 86400), "-noout", "-in", str(certs / "server.crt"))


def test_certificates_are_overwritten_only_by_force(qmux, tmp_path: Path):
    command = ("generate", "certs", "-s", "a.example", "-o", str(tmp_path))
    qmux(*command).check_returncode()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    refused = qmux(*command)
    assert refused.returncode == 1 and str(tmp_path) in refused.stderr
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    qmux(*command, "--force").check_returncode()
    assert (tmp_path / "ca.crt").read_bytes() != before["ca.crt"]


def test_one_more_client_certificate_from_the_same_authority(qmux, tmp_path: Path):
    qmux("generate", "certs", "-s", "a.example", "-o", str(tmp_path)).check_returncode()
    before = (tmp_path / "ca.crt").read_bytes()
    qmux("generate", "certs", "--client", "laptop", "-o", str(tmp_path)).check_returncode()
    openssl("verify", "-CAfile", str(tmp_path / "ca.crt"), "-purpose", "sslclient", str(tmp_path / "laptop.crt"))
    assert (tmp_path / "ca.crt").read_bytes() == before


@pytest.mark.parametrize("flag", ["-c", "-o", "--config"])
@pytest.mark.parametrize("role", ["server", "client"])
def test_example_configuration_is_valid_and_never_overwrites(qmux, role: str, flag: str, tmp_path: Path):
    file = tmp_path / "example.yaml"
    command = ("generate", "config", role, flag, str(file))
    qmux(*command).check_returncode()
    qmux("generate", "certs", "-s", "a.example", cwd=tmp_path).check_returncode()
    assert qmux("config", "check", role, "-c", str(file), cwd=tmp_path).returncode == 0
    file.write_text("mine\n")
    assert qmux(*command).returncode == 1
    assert file.read_text() == "mine\n"


QUICK_START_SERVER = """\
listeners:
  - quic_addr: "0.0.0.0:8443"    # QUIC control port
    traffic_addr: "0.0.0.0:8080" # Traffic forwarding port
    protocol: "both"              # tcp, udp, or both

auth:
  method: "mtls"
  ca_cert_file: "./certs/ca.crt"

tls:
  server_cert_file: "./certs/server.crt"
  server_key_file: "./certs/server.key"
"""

QUICK_START_CLIENT = """\
server:
  servers:
    - address: "your-server-ip:8443"
      server_name: "qmux-server"

local:
  host: "127.0.0.1"
  port: 3000  # Your local service port

tls:
  ca_cert_file: "./certs/ca.crt"
  client_cert_file: "./certs/client.crt"
  client_key_file: "./certs/client.key"
"""


def test_quick_start_works_as_written(qmux, service: Service, tmp_path: Path):
    """The steps of Go QMux's README; only addresses and port numbers are this machine's."""
    qmux("generate", "certs", "-s", "your-server-domain.com", cwd=tmp_path).check_returncode()
    qmux("generate", "config", "server", "-o", "server.yaml", cwd=tmp_path).check_returncode()
    qmux("generate", "config", "client", "-o", "client.yaml", cwd=tmp_path).check_returncode()
    quic_port, traffic_port = free_port(), free_port()
    (tmp_path / "server.yaml").write_text(
        QUICK_START_SERVER.replace("8443", str(quic_port)).replace("8080", str(traffic_port)))
    (tmp_path / "client.yaml").write_text(
        QUICK_START_CLIENT.replace("your-server-ip:8443", f"127.0.0.1:{quic_port}").replace("3000", str(service.port)))
    programs = [
        Process(f"qmux {role}", [str(BINARY), "run", role, "-c", f"{role}.yaml"], tmp_path / f"{role}.log", cwd=tmp_path)
        for role in ("server", "client")
    ]
    try:
        wait_until(lambda: echoes(traffic_port), "the tunnel echoes", 15)
    finally:
        assert [program.stop() for program in programs] == [0, 0]


def echoes(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as visitor:
            visitor.sendall(b"hello")
            return visitor.recv(5) == b"hello"
    except OSError:
        return False


def test_configuration_is_found_by_the_environment_variable(qmux, tmp_path: Path):
    file = tmp_path / "named.yaml"
    file.write_text("listeners: []\n")
    result = qmux("run", "server", cwd=tmp_path, env=os.environ | {"QMUX_CONFIG": str(file)})
    assert result.returncode == 2
    assert str(file) in result.stderr


def test_demo_shows_a_tunnel_and_leaves_nothing_behind(qmux, tmp_path: Path):
    result = qmux("demo", deadline=DEMO_DEADLINE, cwd=tmp_path, env=os.environ | {"TMPDIR": str(tmp_path)})
    assert result.returncode == 0, result.stderr
    assert re.search(r"sha-?256", result.stdout, re.I)
    assert re.search(r"bit/s", result.stdout)
    assert re.search(r"latency", result.stdout, re.I)
    assert list(tmp_path.iterdir()) == []
    figures = re.findall(r"(\d+) us for a small request through the tunnel, (\d+) us without it: (\d+) us added", result.stdout)
    assert len(figures) == 2, "as the kernel places the processes, and on one processor"
    for through, without, added in figures:
        assert abs(int(through) - int(without) - int(added)) <= 1


def test_demo_leaves_nothing_behind_when_none_reads_on(tmp_path: Path):
    """As with qmux demo | head -1."""
    demo = subprocess.Popen([BINARY, "demo", "--keep"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            cwd=tmp_path, env=os.environ | {"TMPDIR": str(tmp_path)})
    try:
        assert demo.stdout.readline().startswith("QMux")
        demo.stdout.close()
        assert demo.wait(DEMO_DEADLINE) == 1
        assert "standard output" in demo.stderr.read()
        assert list(tmp_path.iterdir()) == []
    finally:
        demo.kill()
        demo.wait()
        demo.stderr.close()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_kept_demo_serves_the_curl_line_it_prints(tmp_path: Path, ending: signal.Signals):
    # Whoever runs this may ignore SIGHUP (nohup), and the demo would do so too.
    command = ["env", "--default-signal=HUP", f"TMPDIR={tmp_path}", str(BINARY), "demo", "--keep"]
    demo = Process("qmux demo", command, tmp_path / "demo.log")
    try:
        line = demo.wait_for_log(r"curl [^\n]*http://\S+", DEMO_DEADLINE).group(0)
        subprocess.run([*line.split(), "--silent", "--fail", "--max-time", "20", "--output", str(tmp_path / "got")],
                       check=True)
        assert (tmp_path / "got").stat().st_size > 0
        demo.signal(ending)
        assert demo.wait() == 0
        assert {file.name for file in tmp_path.iterdir()} == {"demo.log", "got"}
    finally:
        if demo.alive():
            demo.kill()
