# SPDX-License-Identifier: MIT
"""What keeps a program from starting: a wrong file (exit status 2), a world that does not fit it (exit status 1)."""

import re
import socket
from pathlib import Path

import pytest
import yaml

from harness.programs import OWN

SERVER = """\
listeners:
  - quic_addr: "127.0.0.1:0"
    traffic_addr: "127.0.0.1:0"
    protocol: tcp
auth:
  ca_cert_file: ca.crt
tls:
  server_cert_file: server.crt
  server_key_file: server.key
heartbeat_interval: 10s
"""

CLIENT = """\
client_id: one
server:
  servers:
    - address: "127.0.0.1:8443"
local:
  host: 127.0.0.1
  port: 3000
tls:
  ca_cert_file: ca.crt
  client_cert_file: client.crt
  client_key_file: client.key
"""

# role, text to replace, by what, line and column of the key, its path, a word of what would be right
WRONG = [
    pytest.param("server", "protocol: tcp", "protocol: sctp", 4, 5, "listeners[0].protocol", "tcp", id="choice"),
    pytest.param("server", "protocol: tcp", "protocl: tcp", 4, 5, "listeners[0].protocl", "protocol", id="unknown-key"),
    pytest.param("server", "10s", "10", 10, 1, "heartbeat_interval", "unit", id="duration-without-unit"),
    pytest.param("server", "10s", "40s", 10, 1, "heartbeat_interval", "health_timeout", id="timeout-too-short"),
    pytest.param("server", '"127.0.0.1:0"\n    traffic', '"127.0.0.1:70000"\n    traffic', 2, 5,
                 "listeners[0].quic_addr", "65535", id="port-out-of-range"),
    pytest.param("server", "  ca_cert_file: ca.crt\n", "  method: mtls\n", None, None, "auth.ca_cert_file", "required",
                 id="missing-key"),
    pytest.param("server", "  - quic", "\t- quic", 2, 1, "", "tab", id="tab"),
    pytest.param("server", "127.0.0.1:0", "http://127.0.0.1:0", 2, 5, "listeners[0].quic_addr", "URL", id="url"),
    pytest.param("server", "auth:", "auth: [", None, None, "", "", id="no-yaml"),
    pytest.param("client", "port: 3000", "port: http", 7, 3, "local.port", "65535", id="number"),
    pytest.param("client", '- address: "127.0.0.1:8443"', "- server_name: x", 4, None, "server.servers[0].address",
                 "required", id="missing-in-list"),
    pytest.param("client", "client_id: one", "client_id: one\nclient_id: two", 2, 1, "client_id", "", id="twice"),
]


@pytest.mark.parametrize("check_only", [True, False], ids=["check", "run"])
@pytest.mark.parametrize(("role", "old", "new", "line", "column", "key", "hint"), WRONG)
def test_wrong_configuration_is_named_with_its_place(qmux, tmp_path: Path, role, old, new, line, column, key, hint,
                                                     check_only: bool):
    text = SERVER if role == "server" else CLIENT
    assert old in text
    file = tmp_path / "wrong.yaml"
    file.write_text(text.replace(old, new))
    command = ("config", "check", role) if check_only else ("run", role)
    result = qmux(*command, "-c", str(file))
    assert result.returncode == 2
    place = f"{re.escape(str(file))}:{line or r'[0-9]+'}:{column or r'[0-9]+'}"
    assert re.search(rf"{place}\b.*{re.escape(key)}.*{re.escape(hint)}", result.stderr), result.stderr


@pytest.mark.parametrize("role", ["server", "client"])
def test_right_configuration_passes_the_check(qmux, credentials, tmp_path: Path, role: str):
    file = tmp_path / "right.yaml"
    file.write_text(SERVER if role == "server" else CLIENT)
    result = qmux("config", "check", role, "-c", str(file), cwd=credentials.directory)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{file}: ok\n", "")


def test_check_opens_no_port(qmux, make_tunnel):
    tunnel = make_tunnel(OWN)
    file = tunnel.directory / "server.yaml"
    file.write_text(yaml.safe_dump(tunnel.server_settings))
    with bound(socket.SOCK_DGRAM, tunnel.quic_port), bound(socket.SOCK_STREAM, tunnel.traffic_port):
        assert qmux("config", "check", "server", "-c", str(file)).returncode == 0


@pytest.mark.parametrize("role", ["server", "client"])
def test_missing_file_is_named(qmux, tmp_path: Path, role: str):
    result = qmux("run", role, "-c", str(tmp_path / "nowhere.yaml"))
    assert result.returncode == 2
    assert "nowhere.yaml" in result.stderr


def run_server(qmux, tunnel, **changes):
    """Runs the tunnel's server in the foreground; it is expected to fail at once."""
    document = tunnel.server_settings | changes
    file = tunnel.directory / "server.yaml"
    file.write_text(yaml.safe_dump(document))
    return qmux("run", "server", "-c", str(file))


def bound(kind: socket.SocketKind, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
    sock.bind(("127.0.0.1", port))
    if kind == socket.SOCK_STREAM:
        sock.listen()
    return sock


@pytest.mark.parametrize("which", ["quic", "traffic"])
def test_port_in_use_is_an_error_that_names_it(qmux, make_tunnel, which: str):
    tunnel = make_tunnel(OWN)
    kind, port = {
        "quic": (socket.SOCK_DGRAM, tunnel.quic_port),
        "traffic": (socket.SOCK_STREAM, tunnel.traffic_port),
    }[which]
    with bound(kind, port):
        result = run_server(qmux, tunnel)
    assert result.returncode == 1
    assert f"127.0.0.1:{port}" in result.stderr and "in use" in result.stderr


def test_second_server_on_the_same_ports_is_refused_and_the_first_serves_on(qmux, make_tunnel):
    """SO_REUSEPORT must not hide that a port is taken."""
    tunnel = make_tunnel(OWN).start()
    result = run_server(qmux, tunnel)
    assert result.returncode == 1
    assert "in use" in result.stderr
    for _ in range(8):
        assert tunnel.serves()


CHECK_AND_RUN = pytest.mark.parametrize("command", [("config", "check"), ("run",)], ids=["check", "run"])
FILE_KEYS = [("server", "auth.ca_cert_file"), ("server", "tls.server_cert_file"), ("server", "tls.server_key_file"),
             ("client", "tls.ca_cert_file"), ("client", "tls.client_cert_file"), ("client", "tls.client_key_file")]


def refused(qmux, tunnel, command: tuple[str, ...], role: str, changes: dict[str, str]) -> str:
    """What is said about a file with these keys, which neither `config check` nor `run` may take."""
    document = tunnel.server_settings if role == "server" else tunnel.client_settings
    for path, value in changes.items():
        section, key = path.split(".")
        document[section] = document.get(section, {}) | {key: value}
    file = tunnel.directory / f"{role}.yaml"
    file.write_text(yaml.safe_dump(document))
    result = qmux(*command, role, "-c", str(file))
    assert result.returncode == 1, result.stderr
    assert result.stdout == ""
    return result.stderr


@CHECK_AND_RUN
@pytest.mark.parametrize(("role", "key"), FILE_KEYS)
@pytest.mark.parametrize("fault", ["missing", "garbage", "empty", "directory"])
def test_unusable_certificate_file_is_named(qmux, make_tunnel, command, role: str, key: str, fault: str):
    tunnel = make_tunnel(OWN)
    file = tunnel.directory / "broken.pem"
    if fault == "directory":
        file.mkdir()
    elif fault != "missing":
        file.write_text("no PEM" if fault == "garbage" else "")
    assert str(file) in refused(qmux, tunnel, command, role, {key: str(file)})


@CHECK_AND_RUN
def test_all_certificate_files_that_are_missing_are_named(qmux, make_tunnel, command):
    missing = {key: f"/nowhere/{key}" for role, key in FILE_KEYS if role == "client"}
    reported = refused(qmux, make_tunnel(OWN), command, "client", missing)
    assert all(path in reported for path in missing.values()), reported


@CHECK_AND_RUN
def test_secret_that_cannot_be_made_is_named_with_the_other_files(qmux, make_tunnel, command):
    reported = refused(qmux, make_tunnel(OWN), command, "server", {
        "tls.quic_secret_file": "/nowhere/quic.secret", "auth.ca_cert_file": "/nowhere/ca.crt"})
    assert reported.count("/nowhere/quic.secret: cannot be written") == 1, reported
    assert "/nowhere/ca.crt" in reported


def test_check_makes_no_secret(qmux, make_tunnel):
    tunnel = make_tunnel(OWN)
    secret = tunnel.directory / "quic.secret"
    tunnel.server_settings["tls"]["quic_secret_file"] = str(secret)
    file = tunnel.directory / "server.yaml"
    file.write_text(yaml.safe_dump(tunnel.server_settings))
    assert qmux("config", "check", "server", "-c", str(file)).returncode == 0
    assert not secret.exists()


@CHECK_AND_RUN
@pytest.mark.parametrize("role", ["server", "client"])
def test_key_of_another_certificate_is_refused(qmux, make_tunnel, credentials, command, role: str):
    other = credentials.client_key if role == "server" else credentials.server_key
    reported = refused(qmux, make_tunnel(OWN), command, role, {f"tls.{role}_key_file": str(other)})
    assert str(other) in reported and "does not belong to the certificate" in reported


@CHECK_AND_RUN
@pytest.mark.parametrize("role", ["server", "client"])
def test_certificate_of_the_other_role_is_refused(qmux, make_tunnel, credentials, command, role: str):
    other = "client" if role == "server" else "server"
    certificate = getattr(credentials, f"{other}_crt")
    reported = refused(qmux, make_tunnel(OWN), command, role, {
        f"tls.{role}_cert_file": str(certificate), f"tls.{role}_key_file": str(getattr(credentials, f"{other}_key"))})
    assert str(certificate) in reported and "usage" in reported


@CHECK_AND_RUN
@pytest.mark.parametrize("role", ["server", "client"])
def test_token_authentication_is_refused_until_it_exists(qmux, make_tunnel, command, role: str):
    reported = refused(qmux, make_tunnel(OWN), command, role, {"auth.method": "token", "auth.token": "sixteen bytes or more"})
    assert "auth.method" in reported and "not available yet" in reported and "sixteen" not in reported
