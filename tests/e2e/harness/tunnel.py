# SPDX-License-Identifier: MIT
"""A server, a client and a local service, joined and ready for visitors."""

import contextlib
import signal
import socket
import time
from pathlib import Path

import yaml

from .certificates import SERVER_NAME, Credentials
from .ports import free_port
from .process import Process
from .programs import Pair
from .service import Service
from .udp import UdpService, UdpVisitor
from .waiting import wait_until

VISITOR_TIMEOUT = 30.0
UDP_VISITOR_TIMEOUT = 10.0
READY_DEADLINE = 20.0
RELOADED = "configuration reloaded"


class Tunnel:
    """Owns the processes and their files in `directory`. Loopback addresses of the family of `host`."""

    def __init__(self, pair: Pair, credentials: Credentials, directory: Path, *, host: str = "127.0.0.1",
                 service: Service | None = None, protocol: str = "tcp", heartbeat: str = "1s",
                 health_timeout: str = "5s"):
        self.pair = pair
        self.credentials = credentials
        self.directory = directory
        self.host = host
        self.service = service or Service(host)
        self.udp_service = UdpService(host, self.service.port) if protocol != "tcp" else None
        self.protocol = protocol
        self.quic_port = free_port()
        self.traffic_port = free_port()
        self._heartbeat = {"heartbeat_interval": heartbeat, "health_timeout": health_timeout}
        self.server_settings = self._server_document()
        self.client_settings = self._client_document("client-1")
        self.server: Process | None = None
        self.client: Process | None = None
        self._spawned: list[Process] = []

    # Configuration

    def _server_document(self) -> dict:
        files = self.credentials
        return {
            "listeners": [{
                "quic_addr": self.address(self.quic_port),
                "traffic_addr": self.address(self.traffic_port),
                "protocol": self.protocol,
            }],
            "auth": {"method": "mtls", "ca_cert_file": str(files.ca_crt)},
            "tls": {"server_cert_file": str(files.server_crt), "server_key_file": str(files.server_key)},
            **self._heartbeat,
        }

    def _client_document(self, client_id: str) -> dict:
        files = self.credentials
        return {
            "client_id": client_id,
            "server": {"servers": [{"address": self.address(self.quic_port), "server_name": SERVER_NAME}]},
            "local": {"host": self.service.host, "port": self.service.port},
            "quic": {"maxincomingstreams": 65536},
            "tls": {
                "ca_cert_file": str(files.ca_crt),
                "client_cert_file": str(files.client_crt),
                "client_key_file": str(files.client_key),
            },
            **self._heartbeat,
        }

    def address(self, port: int) -> str:
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    # Processes

    def start(self) -> "Tunnel":
        self.start_server()
        self.start_client()
        return self

    def start_server(self) -> Process:
        self.server = self.spawn("server", self.server_settings)
        self.server.wait_for_log(self.pair.server.server_ready, READY_DEADLINE)
        return self.server

    def spawn_client(self) -> Process:
        self.client = self.spawn("client", self.client_settings)
        return self.client

    def start_client(self) -> Process:
        self.spawn_client()
        self.client.wait_for_log(self.pair.client.client_ready, READY_DEADLINE)
        return self.client

    def spawn(self, role: str, settings: dict, name: str | None = None, within: tuple[str, ...] = ()) -> Process:
        """Starts one more process of this tunnel without waiting until it is ready. `within`: a command to run it by."""
        name = name or role
        config = self.directory / f"{name}.yaml"
        config.write_text(yaml.safe_dump(settings, sort_keys=False))
        program = self.pair.server if role == "server" else self.pair.client
        process = Process(f"{program.name} {name}", [*within, *program.run(role, config)], self.directory / f"{name}.log")
        self._spawned.append(process)
        return process

    def rewrite(self, process: Process, settings: dict | str, name: str | None = None) -> None:
        """Replaces the file that the process was started with, as an editor does."""
        name = name or ("server" if process is self.server else "client")
        text = settings if isinstance(settings, str) else yaml.safe_dump(settings, sort_keys=False)
        written = self.directory / f"{name}.yaml.new"
        written.write_text(text)
        written.rename(self.directory / f"{name}.yaml")

    def reload(self, process: Process, settings: dict | str, name: str | None = None) -> None:
        """The same, and asks the process to read it. Returns when it has taken effect."""
        before = process.log().count(RELOADED)
        self.rewrite(process, settings, name)
        process.signal(signal.SIGHUP)
        process.wait_for_log(RELOADED, count=before + 1)

    def stop(self) -> None:
        self.service.down()
        if self.udp_service is not None:
            self.udp_service.down()
        # The servers last, so that no client looks for one meanwhile.
        for process in reversed(self._spawned):
            if process.alive():
                process.kill()

    def alive(self) -> bool:
        return all(process is not None and process.alive() for process in (self.server, self.client))

    # Visitors

    def visit(self, timeout: float = VISITOR_TIMEOUT) -> socket.socket:
        visitor = socket.create_connection((self.host, self.traffic_port), timeout)
        visitor.settimeout(timeout)
        return visitor

    def visit_udp(self, timeout: float = UDP_VISITOR_TIMEOUT, host: str | None = None) -> UdpVisitor:
        return UdpVisitor(host or self.host, self.traffic_port, timeout)

    def url(self, path: str) -> str:
        return f"http://{self.address(self.traffic_port)}/{path}"

    def serves(self) -> bool:
        """Whether a visitor is served right now. The service must echo."""
        try:
            with self.visit(timeout=2.0) as visitor:
                visitor.sendall(b"?")
                return visitor.recv(1) == b"?"
        except OSError:
            return False

    def wait_until_serving(self, deadline: float = 15.0) -> None:
        wait_until(self.serves, f"{self.pair.name} serves a visitor", deadline)

    def seconds_until_serving(self, deadline: float) -> float:
        """Until a visitor that comes now is served; `deadline` when none is by then."""
        began = time.monotonic()
        with contextlib.suppress(AssertionError):
            self.wait_until_serving(deadline)
            return time.monotonic() - began
        return deadline

    def wait_until_serving_udp(self, deadline: float = 15.0) -> None:
        with self.visit_udp(timeout=0.2) as visitor:
            wait_until(visitor.is_served, f"{self.pair.name} serves a visitor by UDP", deadline)
