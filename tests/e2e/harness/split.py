# SPDX-License-Identifier: MIT
"""A tunnel between two machines, each in a network namespace."""

import socket
from typing import Protocol

from .namespaces import Namespace
from .service import Service
from .tunnel import Tunnel


class Machines(Protocol):
    server: Namespace
    client: Namespace


class SplitTunnel(Tunnel):
    """The server and its visitors on one machine, the client and its service on the other.

    `machines`: a Cable, or what has the same two."""

    def __init__(self, machines: Machines, *arguments, quic_host: str, **options):
        self._machines = machines
        with machines.client.entered():
            service = Service()
        super().__init__(*arguments, service=service, **options)
        quic_address = f"[{quic_host}]:{self.quic_port}" if ":" in quic_host else f"{quic_host}:{self.quic_port}"
        self.server_settings["listeners"][0]["quic_addr"] = quic_address
        self.client_settings["server"]["servers"][0]["address"] = quic_address

    def spawn(self, role: str, *arguments, **options):
        with (self._machines.server if role == "server" else self._machines.client).entered():
            return super().spawn(role, *arguments, **options)

    def visit(self, *arguments, **options) -> socket.socket:
        with self._machines.server.entered():
            return super().visit(*arguments, **options)
