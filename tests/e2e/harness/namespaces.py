# SPDX-License-Identifier: MIT
"""Two network namespaces joined by a cable (veth): a server's machine and a client's machine. Needs root and `ip`."""

import contextlib
import ctypes
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()


def unavailable() -> str | None:
    """Why there can be no namespaces here."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None or shutil.which("tc") is None:
        return "iproute2 is not installed"
    try:
        Namespace("probe").delete()
    except subprocess.CalledProcessError as error:
        return f"the kernel refuses network namespaces: {error.stderr.strip()}"
    return None


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)


class Namespace:
    """A namespace of this test run; its loopback is up."""

    def __init__(self, role: str):
        self.name = f"qmux-{os.getpid()}-{next(_numbers)}-{role}"
        _run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments: str) -> None:
        _run("ip", "-n", self.name, *arguments)

    def tc(self, *arguments: str) -> None:
        _run("tc", "-n", self.name, *arguments)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets made and programs started by this thread within the block belong to the namespace for good."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            _set_namespace(other)
            try:
                yield
            finally:
                _set_namespace(own)
        finally:
            os.close(own)
            os.close(other)

    def delete(self) -> None:
        _run("ip", "netns", "delete", self.name)


def _set_namespace(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Cable:
    """`server` 198.51.100.1 and 2001:db8::1, `client` 198.51.100.2 and 2001:db8::2; interface `wan` on both ends."""

    SERVER, CLIENT, CLIENT_LATER = "198.51.100.1", "198.51.100.2", "198.51.100.77"
    SERVER_IPV6, CLIENT_IPV6 = "2001:db8::1", "2001:db8::2"

    def __init__(self):
        self.server = Namespace("server")
        self.client = Namespace("client")
        _run("ip", "link", "add", "wan", "netns", self.server.name, "type", "veth",
             "peer", "name", "wan", "netns", self.client.name)
        ends = ((self.server, self.SERVER, self.SERVER_IPV6), (self.client, self.CLIENT, self.CLIENT_IPV6))
        for end, ipv4, ipv6 in ends:
            end.ip("address", "add", f"{ipv4}/24", "dev", "wan")
            end.ip("address", "add", f"{ipv6}/64", "dev", "wan", "nodad")
            end.ip("link", "set", "wan", "up")

    def shape(self, *queue: str) -> None:
        """The same queue discipline in both directions."""
        for end in (self.server, self.client):
            end.tc("qdisc", "replace", "dev", "wan", "root", *queue)

    def move_client(self) -> None:
        """The client's machine gets another address and loses the one it had."""
        self.client.ip("address", "delete", f"{self.CLIENT}/24", "dev", "wan")
        self.client.ip("address", "add", f"{self.CLIENT_LATER}/24", "dev", "wan")

    def delete(self) -> None:
        self.server.delete()
        self.client.delete()
