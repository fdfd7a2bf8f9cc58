# SPDX-License-Identifier: MIT
"""The cluster of examples/ha in network namespaces, from the files of the example: a load balancer, two servers, two groups of
clients behind a NAT, two services."""

import shutil
import socket
from pathlib import Path

from . import network, nginx
from .certificates import Credentials
from .namespaces import Namespace
from .network import Nat, Network, Switch
from .process import Process
from .programs import CHECKOUT, OURS, Program
from .waiting import wait_until

EXAMPLE = CHECKOUT / "examples/ha"
BALANCER = "192.0.2.10"
SERVERS = {"server-1": "192.0.2.11", "server-2": "192.0.2.12"}
SERVICES = {"a": ("10.20.0.31", 3000), "b": ("10.20.0.51", 5000)}
TRAFFIC_PORTS = {"a": 80, "b": 443}
CLIENTS = {"client-a-1": "10.20.0.101", "client-a-2": "10.20.0.102", "client-b-1": "10.20.0.103", "client-b-2": "10.20.0.104"}
_VISITOR, _GATEWAY_OUTSIDE, _GATEWAY_INSIDE = "192.0.2.200", "192.0.2.100", "10.20.0.1"
VISIT_TIMEOUT = 15.0
READY_DEADLINE = 20.0


def unavailable() -> str | None:
    """Why it cannot run here."""
    if reason := network.unavailable():
        return reason
    missing = [name for name, path in (("haproxy", _haproxy()), ("nginx", nginx.path())) if path is None]
    return f"not installed: {' and '.join(missing)}" if missing else None


def _haproxy() -> str | None:
    return shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")


def group_of(client: str) -> str:
    return client.split("-")[1]


class Cluster:
    """Owns its machines and processes. They run in `directory`, where certs/ is, with the files of `files`."""

    def __init__(self, directory: Path, credentials: Credentials, files: Path = EXAMPLE, program: Program = OURS):
        self.directory = directory
        self.files = files
        self._program = program
        self._network = Network()
        self._processes: dict[str, Process] = {}
        (directory / "certs").symlink_to(credentials.directory)
        try:
            self._machines = self._build()
        except BaseException:
            self._network.delete()
            raise

    def _build(self) -> dict[str, Namespace]:
        outside, site = Switch(self._network), Switch(self._network)
        Nat(self._network).between(site, _GATEWAY_INSIDE, outside, _GATEWAY_OUTSIDE)
        machines = {}
        for name, address in {"visitor": _VISITOR, "balancer": BALANCER, **SERVERS}.items():
            machines[name] = self._network.machine()
            outside.plug_in(machines[name], address, "wan")
        services = {f"service-{group}": address for group, (address, _) in SERVICES.items()}
        for name, address in {**services, **CLIENTS}.items():
            machines[name] = self._network.machine()
            site.plug_in(machines[name], address, "lan", gateway=_GATEWAY_INSIDE)
        return machines

    # Processes

    def start(self) -> "Cluster":
        for group, (host, port) in SERVICES.items():
            with self._machines[f"service-{group}"].entered():
                service = nginx.Nginx(self.directory / f"service-{group}", host, port=port,
                                      server=(self.files / f"service-{group}.conf").read_text())
            self._network.made.callback(service.down)
        for name in [*SERVERS, *CLIENTS]:
            self.begin(name)
        for name in CLIENTS:
            self._processes[name].wait_for_log(self._program.client_ready, READY_DEADLINE, count=self._ready_lines())
        self._spawn("balancer", [_haproxy(), "-db", "-f", str(self.files / "haproxy.cfg")])
        for group in SERVICES:
            wait_until(lambda group=group: self.serves(group), f"group {group} is served", READY_DEADLINE)
        return self

    def _ready_lines(self) -> int:
        """Ours reports every server, a Go client that it has begun."""
        return len(SERVERS) if self._program is OURS else 1

    def begin(self, name: str) -> Process:
        """Starts a server or a client of the example; a server is ready when this returns."""
        role = "server" if name in SERVERS else "client"
        file = f"{name}.yaml" if role == "server" else f"client-group-{group_of(name)}.yaml"
        process = self._spawn(name, self._program.run(role, self.files / file))
        if role == "server":
            process.wait_for_log(self._program.server_ready, READY_DEADLINE, count=len(SERVICES))
        return process

    def process(self, name: str) -> Process:
        return self._processes[name]

    def _spawn(self, name: str, command: list[str]) -> Process:
        with self._machines[name].entered():
            process = Process(name, command, self.directory / f"{name}.log", cwd=self.directory)
        if name not in self._processes:
            self._network.made.callback(lambda: self._processes[name].alive() and self._processes[name].kill())
        self._processes[name] = process
        return process

    def stop(self) -> None:
        self._network.delete()

    # Visitors

    def visit(self, group: str, timeout: float = VISIT_TIMEOUT) -> None:
        """One request and its answer. Raises OSError or ValueError when the visitor is not served."""
        with self._machines["visitor"].entered():
            visitor = socket.create_connection((BALANCER, TRAFFIC_PORTS[group]), timeout)
        body = f"\r\n\r\nservice {group.upper()}\n".encode()
        answer = b""
        with visitor:
            visitor.sendall(b"GET / HTTP/1.0\r\n\r\n")
            # Go clients append to it.
            while body not in answer and (data := visitor.recv(65536)):
                answer += data
        if body not in answer:
            raise ValueError(f"answered {answer!r}")

    def serves(self, group: str) -> bool:
        balancer = self._processes["balancer"]
        assert balancer.alive(), balancer.log()
        try:
            self.visit(group, timeout=2.0)
        except (OSError, ValueError):
            return False
        return True
