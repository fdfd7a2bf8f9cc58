# SPDX-License-Identifier: MIT
"""Networks of more than two machines in namespaces: a switch, and a NAT between two networks. Needs root and iproute2; a NAT
needs nftables."""

import contextlib
import itertools
import shutil

from . import namespaces
from .namespaces import Namespace

_NAT_RULES = """
table ip qmux_nat {
    chain leave {
        type nat hook postrouting priority srcnat;
        oifname "wan" masquerade fully-random
    }
}
"""


def unavailable() -> str | None:
    """Why there can be no such networks here."""
    if reason := namespaces.unavailable():
        return reason
    if shutil.which("nft") is None:
        return "nftables is not installed: no nft"
    return None


class Network:
    """Owns its machines, its switches and what else is entered in `made`; all end with it."""

    def __init__(self):
        self.made = contextlib.ExitStack()

    def machine(self) -> Namespace:
        machine = Namespace()
        self.made.callback(machine.delete)
        return machine

    def delete(self) -> None:
        self.made.close()


class Switch:
    """Joins machines of one network (a bridge in a namespace of its own)."""

    def __init__(self, network: Network, prefix_length: int = 24):
        self._bridge = network.machine()
        self._prefix_length = prefix_length
        self._numbers = itertools.count()
        self._bridge.ip("link", "add", "switch", "type", "bridge")
        self._bridge.ip("link", "set", "switch", "up")

    def plug_in(self, machine: Namespace, address: str, interface: str, gateway: str | None = None) -> None:
        """The machine gets an interface of that name, and by `gateway` its default route."""
        port = f"port{next(self._numbers)}"
        self._bridge.ip("link", "add", port, "type", "veth", "peer", "name", interface, "netns", machine.path)
        self._bridge.ip("link", "set", port, "master", "switch", "up")
        machine.ip("address", "add", f"{address}/{self._prefix_length}", "dev", interface)
        machine.ip("link", "set", interface, "up")
        if gateway:
            machine.ip("route", "add", "default", "via", gateway)


class Nat:
    """A router that masquerades what leaves by its interface `wan`, with a port of its own choice for each mapping."""

    def __init__(self, network: Network):
        self.machine = network.machine()
        self._address: str | None = None
        self.machine.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        self.machine.run("nft", _NAT_RULES)

    def between(self, inside: Switch, inside_address: str, outside: Switch, outside_address: str) -> "Nat":
        inside.plug_in(self.machine, inside_address, "lan")
        outside.plug_in(self.machine, outside_address, "wan")
        self._address = outside_address
        return self

    def move(self, address: str) -> None:
        """All mappings are gone, and new ones are made from `address`, which may be the one that it had."""
        # The kernel forgets the mappings of an address that its interface loses.
        self.machine.ip("address", "delete", f"{self._address}/24", "dev", "wan")
        self.machine.ip("address", "add", f"{address}/24", "dev", "wan")
        self._address = address


class NattedPair:
    """A server's machine, and a client's machine behind a NAT. Both are named as those of a Cable."""

    SERVER, NAT, NAT_LATER = "198.51.100.1", "198.51.100.2", "198.51.100.77"
    _GATEWAY, _CLIENT = "10.0.0.1", "10.0.0.2"

    def __init__(self):
        with contextlib.ExitStack() as made:
            network = Network()
            made.callback(network.delete)
            outside, inside = Switch(network), Switch(network)
            self.server, self.client = network.machine(), network.machine()
            outside.plug_in(self.server, self.SERVER, "wan")
            self.nat = Nat(network).between(inside, self._GATEWAY, outside, self.NAT)
            inside.plug_in(self.client, self._CLIENT, "lan", self._GATEWAY)
            self._made = made.pop_all()

    def delete(self) -> None:
        self._made.close()


class TwoLinks:
    """A server's machine, and a client's machine with two ways to it: `wan`, which is preferred, and `backup`."""

    SERVER = "192.0.2.1"
    _LINKS = {"wan": ("198.51.100.1", "198.51.100.2", 100), "backup": ("203.0.113.1", "203.0.113.2", 200)}

    def __init__(self):
        with contextlib.ExitStack() as made:
            network = Network()
            made.callback(network.delete)
            self.server, self.client = network.machine(), network.machine()
            self.server.ip("address", "add", f"{self.SERVER}/32", "dev", "lo")
            for name, (server, client, _) in self._LINKS.items():
                switch = Switch(network)
                switch.plug_in(self.server, server, name)
                switch.plug_in(self.client, client, name)
                self._add_route(name)
            self._made = made.pop_all()

    def cut(self, name: str) -> None:
        """The client's end of this link is down; with it go its routes."""
        self.client.ip("link", "set", name, "down")

    def mend(self, name: str) -> None:
        self.client.ip("link", "set", name, "up")
        self._add_route(name)

    def _add_route(self, name: str) -> None:
        server, _, metric = self._LINKS[name]
        self.client.ip("route", "add", self.SERVER, "via", server, "dev", name, "metric", str(metric))

    def delete(self) -> None:
        self._made.close()
