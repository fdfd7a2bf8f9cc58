# SPDX-License-Identifier: MIT
"""A program that reads its configuration again: what has changed takes effect, and nothing else notices."""

import copy
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness.certificates import SERVER_NAME, Authority
from harness.ports import free_port
from harness.process import Process
from harness.programs import OWN
from harness.service import Service, read_exactly, read_to_end
from harness.tunnel import Tunnel
from harness.waiting import wait_until

SIZE = 8_000_000
REFUSED = "configuration not reloaded; nothing has changed"
WORKERS = pytest.mark.parametrize("workers", [1, 2])


def send_much(sock: socket.socket) -> None:
    sock.recv(1)
    sock.sendall(bytes(SIZE))


@pytest.fixture
def tunnel(make_tunnel) -> Iterator[Tunnel]:
    made = make_tunnel(OWN)
    yield made
    assert made.server.alive()


@contextmanager
def visitors_without_end(tunnel: Tunnel) -> Iterator[list[str]]:
    """Visitors one after another, all of whom must be served, while the block runs."""
    failures: list[str] = []
    served = threading.Event()
    over = threading.Event()

    def visit() -> None:
        while not over.is_set():
            try:
                with tunnel.visit(timeout=5) as visitor:
                    visitor.sendall(b"?")
                    if visitor.recv(1) != b"?":
                        failures.append("cut")
            except OSError as error:
                failures.append(str(error))
            served.set()

    thread = threading.Thread(target=visit)
    thread.start()
    try:
        assert served.wait(10)
        yield failures
        served.clear()
        assert served.wait(10), "visitors are served to the end"
    finally:
        over.set()
        thread.join()
    assert failures == []


def listener(tunnel: Tunnel, **keys) -> dict:
    return {"quic_addr": f"127.0.0.1:{free_port()}", "traffic_addr": f"127.0.0.1:{free_port()}", "protocol": "tcp"} | keys


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def is_served_at(tunnel: Tunnel, address: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port_of(address)), 5) as visitor:
            visitor.sendall(b"?")
            return visitor.recv(1) == b"?"
    except OSError:
        return False


def spawn_client_of(tunnel: Tunnel, quic_addr: str, name: str) -> Process:
    settings = copy.deepcopy(tunnel.client_settings) | {"client_id": name}
    settings["server"]["servers"][0]["address"] = quic_addr
    client = tunnel.spawn("client", settings, name)
    client.wait_for_log(OWN.client.client_ready)
    return client


@WORKERS
def test_listeners_come_and_go_under_load(tunnel, workers):
    going = listener(tunnel)
    tunnel.server_settings["workers"] = workers
    tunnel.server_settings["listeners"].append(going)
    tunnel.start()
    its_client = spawn_client_of(tunnel, going["quic_addr"], "of-the-one-that-goes")
    with visitors_without_end(tunnel):
        tunnel_of_it = socket.create_connection(("127.0.0.1", port_of(going["traffic_addr"])), 20)
        tunnel_of_it.sendall(b"x")
        assert tunnel_of_it.recv(1) == b"x"

        coming = listener(tunnel)
        tunnel.server_settings["listeners"] = [coming, tunnel.server_settings["listeners"][0]]
        tunnel.reload(tunnel.server, tunnel.server_settings)
        assert not is_served_at(tunnel, going["traffic_addr"])
        tunnel_of_it.sendall(b"y")
        assert tunnel_of_it.recv(1) == b"y", "a tunnel of a removed listener goes on"
        new_client = spawn_client_of(tunnel, coming["quic_addr"], "of-the-new-one")
        assert is_served_at(tunnel, coming["traffic_addr"])
        tunnel_of_it.close()
        its_client.wait_for_log("server that stops disconnected")

        # Its addresses are free, for this server too.
        tunnel.server_settings["listeners"].append(going)
        tunnel.reload(tunnel.server, tunnel.server_settings)
        wait_until(lambda: is_served_at(tunnel, going["traffic_addr"]), "its client finds it again")
    for client in (its_client, new_client):
        client.kill()


@WORKERS
def test_visitors_move_to_another_address(tunnel, workers):
    tunnel.server_settings["workers"] = workers
    tunnel.start()
    with tunnel.visit() as visitor:
        visitor.sendall(b"x")
        assert read_exactly(visitor, 1) == b"x"
        before = tunnel.server_settings["listeners"][0]["traffic_addr"]
        tunnel.traffic_port = free_port()
        tunnel.server_settings["listeners"][0]["traffic_addr"] = tunnel.address(tunnel.traffic_port)
        tunnel.reload(tunnel.server, tunnel.server_settings)
        assert tunnel.serves()
        assert not is_served_at(tunnel, before)
        visitor.sendall(b"y")
        assert read_exactly(visitor, 1) == b"y"
    assert tunnel.client.log().count("server connected") == 1


@WORKERS
def test_one_listener_takes_over_the_visitors_of_another(tunnel, workers):
    """Its QUIC address has changed, and the address of visitors has not."""
    tunnel.server_settings["workers"] = workers
    tunnel.start()
    replacement = {"quic_addr": f"127.0.0.1:{free_port()}"}
    tunnel.server_settings["listeners"][0] |= replacement
    with tunnel.visit() as visitor:
        visitor.sendall(b"x")
        assert read_exactly(visitor, 1) == b"x"
        tunnel.reload(tunnel.server, tunnel.server_settings)
        client = spawn_client_of(tunnel, replacement["quic_addr"], "new")
        with visitors_without_end(tunnel):
            visitor.sendall(b"y")
            assert read_exactly(visitor, 1) == b"y"
    client.kill()


def test_udp_is_switched_on_and_off(make_tunnel):
    tunnel = make_tunnel(OWN, protocol="both")
    tunnel.server_settings["listeners"][0]["protocol"] = "tcp"
    tunnel.start()
    with tunnel.visit() as visitor:
        for protocol in ("both", "tcp", "both"):
            tunnel.server_settings["listeners"][0]["protocol"] = protocol
            tunnel.reload(tunnel.server, tunnel.server_settings)
            if protocol == "both":
                tunnel.wait_until_serving_udp()
            else:
                with tunnel.visit_udp(timeout=0.3) as caller:
                    assert not caller.is_served()
            visitor.sendall(b"x")
            assert read_exactly(visitor, 1) == b"x"
    assert tunnel.client.log().count("server connected") == 1


def test_limits_change(tunnel):
    tunnel.start()
    with tunnel.visit() as first:
        first.sendall(b"x")
        assert read_exactly(first, 1) == b"x"
        tunnel.server_settings["listeners"][0]["max_visitors"] = 1
        tunnel.reload(tunnel.server, tunnel.server_settings)
        assert not tunnel.serves()
        del tunnel.server_settings["listeners"][0]["max_visitors"]
        tunnel.reload(tunnel.server, tunnel.server_settings)
        assert tunnel.serves()


@WORKERS
def test_certificates_are_renewed_under_load(make_tunnel, authority: Authority, tmp_path, workers):
    tunnel = make_tunnel(OWN, credentials=authority.write(tmp_path / "certs"))
    files = tunnel.credentials
    tunnel.server_settings["workers"] = workers
    tunnel.start()
    with visitors_without_end(tunnel), tunnel.visit() as visitor:
        visitor.sendall(b"x")
        assert read_exactly(visitor, 1) == b"x"
        authority.issue(files.server_crt, files.server_key, usage=ExtendedKeyUsageOID.SERVER_AUTH,
                        names=("renewed.test", SERVER_NAME))
        tunnel.reload(tunnel.server, tunnel.server_settings)
        settings = copy.deepcopy(tunnel.client_settings) | {"client_id": "later"}
        settings["server"]["servers"][0]["server_name"] = "renewed.test"
        later = tunnel.spawn("client", settings, "later")
        later.wait_for_log(OWN.client.client_ready)
        visitor.sendall(b"y")
        assert read_exactly(visitor, 1) == b"y"
        later.stop()
    assert tunnel.client.log().count("server connected") == 1


def another_server(tunnel: Tunnel) -> tuple[Process, dict, str]:
    """One more server for the tunnel's client: its entry in the client's file, and where its visitors come."""
    settings = copy.deepcopy(tunnel.server_settings)
    settings["listeners"] = [listener(tunnel)]
    server = tunnel.spawn("server", settings, "server-2")
    server.wait_for_log(OWN.server.server_ready)
    entry = {"address": settings["listeners"][0]["quic_addr"], "server_name": SERVER_NAME}
    return server, entry, settings["listeners"][0]["traffic_addr"]


def test_servers_come_and_go_under_load(tunnel):
    tunnel.start()
    second, entry, visitors_of_second = another_server(tunnel)
    servers = tunnel.client_settings["server"]["servers"]
    with visitors_without_end(tunnel):
        servers.insert(0, entry)
        tunnel.reload(tunnel.client, tunnel.client_settings)
        wait_until(lambda: is_served_at(tunnel, visitors_of_second), "the new server has the client")
    with tunnel.visit() as visitor:
        visitor.sendall(b"x")
        assert read_exactly(visitor, 1) == b"x"
        servers.pop()
        tunnel.reload(tunnel.client, tunnel.client_settings)
        tunnel.server.wait_for_log("client is draining")
        visitor.sendall(b"y")
        assert read_exactly(visitor, 1) == b"y"
        assert is_served_at(tunnel, visitors_of_second)
        assert "client disconnected" not in tunnel.server.log()
    tunnel.server.wait_for_log("client disconnected")
    assert tunnel.client.stop() == 0
    second.kill()


def test_visitors_from_then_on_come_to_another_local_service(tunnel):
    tunnel.start()
    other = Service()
    other.behaviour = lambda sock: sock.sendall(b"other")
    try:
        with tunnel.visit() as visitor:
            visitor.sendall(b"x")
            assert read_exactly(visitor, 1) == b"x"
            tunnel.client_settings["local"]["port"] = other.port
            tunnel.reload(tunnel.client, tunnel.client_settings)
            with tunnel.visit() as later:
                assert read_exactly(later, 5) == b"other"
            visitor.sendall(b"y")
            assert read_exactly(visitor, 1) == b"y"
    finally:
        other.down()
    assert tunnel.client.log().count("server connected") == 1


def test_another_client_id_replaces_the_connection_and_no_tunnel(tunnel):
    tunnel.start()
    with visitors_without_end(tunnel), tunnel.visit() as visitor:
        visitor.sendall(b"x")
        assert read_exactly(visitor, 1) == b"x"
        tunnel.client_settings["client_id"] = "renamed"
        tunnel.reload(tunnel.client, tunnel.client_settings)
        tunnel.server.wait_for_log("client registered client_id=renamed")
        visitor.sendall(b"y")
        assert read_exactly(visitor, 1) == b"y"
        visitor.close()
        tunnel.server.wait_for_log("client disconnected client_id=client-1")


def test_a_clients_certificate_is_renewed(make_tunnel, authority: Authority, tmp_path):
    tunnel = make_tunnel(OWN, credentials=authority.write(tmp_path / "certs"))
    files = tunnel.credentials
    tunnel.start()
    second, entry, visitors_of_second = another_server(tunnel)
    with visitors_without_end(tunnel):
        authority.issue(files.client_crt, files.client_key, usage=ExtendedKeyUsageOID.CLIENT_AUTH, common_name="renewed leaf")
        tunnel.client_settings["server"]["servers"].append(entry)
        tunnel.reload(tunnel.client, tunnel.client_settings)
        second.wait_for_log('client registered .*certificate="renewed leaf"')
    assert tunnel.server.log().count("client registered") == 1
    second.kill()


def not_yaml(tunnel: Tunnel, role: str, settings: dict) -> str:
    return "tls: [\n"


def unknown_key(tunnel: Tunnel, role: str, settings: dict) -> dict:
    return settings | {"listener": []}


def wrong_key(tunnel: Tunnel, role: str, settings: dict) -> dict:
    settings["tls"][f"{role}_key_file"] = str(tunnel.credentials.ca_key)
    return settings


def no_file(tunnel: Tunnel, role: str, settings: dict) -> dict:
    settings["tls"][f"{role}_cert_file"] = str(tunnel.directory / "absent.crt")
    return settings


def address_in_use(tunnel: Tunnel, role: str, settings: dict) -> dict:
    settings["listeners"].append(listener(tunnel, traffic_addr=f"127.0.0.1:{tunnel.service.port}"))
    return settings


@pytest.mark.parametrize("role, spoil, said", [
    *((role, *case) for role in ("server", "client") for case in (
        (not_yaml, f"{role}.yaml:"),
        (unknown_key, "listener: unknown key"),
        (wrong_key, "ca.key"),
        (no_file, "absent.crt"),
    )),
    ("server", address_in_use, "cannot listen on tcp"),
])
def test_what_is_wrong_changes_nothing_and_is_named(tunnel, role, spoil, said):
    tunnel.start()
    process = getattr(tunnel, role)
    settings = getattr(tunnel, f"{role}_settings")
    with tunnel.visit() as visitor:
        for count in (1, 2):
            tunnel.rewrite(process, spoil(tunnel, role, copy.deepcopy(settings)))
            process.signal(signal.SIGHUP)
            line = process.wait_for_log(f".*{REFUSED}.*", count=count)
            assert said in line.group()
            visitor.sendall(b"x")
            assert read_exactly(visitor, 1) == b"x"
            assert tunnel.serves()
    tunnel.reload(process, settings)
    assert tunnel.serves()


def test_a_pipe_as_the_file_does_not_stop_later_reloads(tunnel):
    tunnel.start()
    file = tunnel.directory / "server.yaml"
    file.unlink()
    os.mkfifo(file)
    tunnel.server.signal(signal.SIGHUP)
    tunnel.server.wait_for_log(REFUSED)
    tunnel.reload(tunnel.server, tunnel.server_settings)
    assert tunnel.serves()


def test_files_are_watched(make_tunnel, authority: Authority, tmp_path):
    """Replaced by a rename; and as Kubernetes does: a link to a folder that a link names, which is turned."""
    first = authority.write(tmp_path / "first")
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "..data").symlink_to(first.directory)
    tunnel = make_tunnel(OWN, credentials=first)
    for key, name in (("server_cert_file", "server.crt"), ("server_key_file", "server.key")):
        (volume / name).symlink_to(f"..data/{name}")
        tunnel.server_settings["tls"][key] = str(volume / name)
    tunnel.server_settings["watch_files"] = True
    tunnel.start()

    tunnel.traffic_port = free_port()
    tunnel.server_settings["listeners"][0]["traffic_addr"] = tunnel.address(tunnel.traffic_port)
    tunnel.rewrite(tunnel.server, tunnel.server_settings)
    tunnel.server.wait_for_log("configuration reloaded")
    assert tunnel.serves()

    second = tmp_path / "second"
    shutil.copytree(first.directory, second)
    authority.issue(second / "server.crt", second / "server.key", usage=ExtendedKeyUsageOID.SERVER_AUTH, names=("other.test",))
    (volume / "..next").symlink_to(second)
    (volume / "..next").rename(volume / "..data")
    tunnel.server.wait_for_log("configuration reloaded", count=2)
    settings = copy.deepcopy(tunnel.client_settings) | {"client_id": "later"}
    settings["server"]["servers"][0]["server_name"] = "other.test"
    later = tunnel.spawn("client", settings, "later")
    later.wait_for_log(OWN.client.client_ready)
    later.stop()
    assert tunnel.server.log().count("reloading") == 2


@WORKERS
def test_many_reloads_in_a_row_disturb_nothing(tunnel, workers):
    tunnel.server_settings["workers"] = workers
    tunnel.service.behaviour = send_much
    tunnel.start()
    with tunnel.visit() as visitor:
        visitor.sendall(b"?")
        for count in range(30):
            tunnel.server_settings["listeners"][0]["max_visitors"] = 10 + count
            tunnel.rewrite(tunnel.server, tunnel.server_settings)
            tunnel.server.signal(signal.SIGHUP)
        assert len(read_to_end(visitor)) == SIZE
    tunnel.reload(tunnel.server, tunnel.server_settings)
    assert tunnel.client.log().count("server connected") == 1
