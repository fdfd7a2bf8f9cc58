# SPDX-License-Identifier: MIT
"""Two network namespaces joined by a cable (veth): a server's machine and a client's machine. Needs root and iproute2.

A namespace has no name and no file: a descriptor of this process keeps it. So it works wherever the kernel allows
namespaces, a plain chroot included (`ip netns` needs /run and a root that is a mount point), and nothing is left behind
when the process ends, however it ends.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator

_CLONE_NEWNET = 0x40000000
_OWN_NAMESPACE = "/proc/thread-self/ns/net"
_libc = ctypes.CDLL(None, use_errno=True)


def unavailable() -> str | None:
    """Why there can be no namespaces here."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in ("ip", "tc") if shutil.which(tool) is None]
    if missing:
        return f"iproute2 is not installed: no {' and no '.join(missing)}"
    if not os.path.exists(_OWN_NAMESPACE):
        return f"network namespaces need /proc: there is no {_OWN_NAMESPACE}"
    try:
        Cable().delete()
    except OSError as error:
        return f"no network namespace can be made here: {error.filename}: {error.strerror}"
    except subprocess.CalledProcessError as error:
        return f"no network namespace can be set up here: {' '.join(error.cmd)}: {error.stderr.strip()}"
    return None


def _system_call(name: str, *arguments: int) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), name)


class Namespace:
    """A namespace of this test run; its loopback is up."""

    def __init__(self):
        with _elsewhere("unshare", _CLONE_NEWNET):
            self._descriptor = os.open(_OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.ip("link", "set", "lo", "up")
        except BaseException:
            self.delete()
            raise

    @property
    def path(self) -> str:
        """Names it to other processes, `ip` among them, as long as it is not deleted."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def ip(self, *arguments: str) -> None:
        self.run("ip", *arguments)

    def tc(self, *arguments: str) -> None:
        self.run("tc", *arguments)

    def run(self, *command: str) -> None:
        """A program to its end, which must be success."""
        with self.entered():
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets made and programs started by this thread within the block belong to the namespace for good."""
        with _elsewhere("setns", self._descriptor, _CLONE_NEWNET):
            yield

    def delete(self) -> None:
        """The kernel destroys it once the last socket and the last program in it have gone."""
        os.close(self._descriptor)


@contextlib.contextmanager
def _elsewhere(system_call: str, *arguments: int) -> Iterator[None]:
    """Makes the system call, which moves this thread to another namespace, and moves it back at the end of the block."""
    own = os.open(_OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _system_call(system_call, *arguments)
        try:
            yield
        finally:
            _system_call("setns", own, _CLONE_NEWNET)
    finally:
        os.close(own)


class Cable:
    """`server` 198.51.100.1 and 2001:db8::1, `client` 198.51.100.2 and 2001:db8::2; interface `wan` on both ends."""

    SERVER, CLIENT, CLIENT_LATER = "198.51.100.1", "198.51.100.2", "198.51.100.77"
    SERVER_IPV6, CLIENT_IPV6 = "2001:db8::1", "2001:db8::2"

    def __init__(self):
        with contextlib.ExitStack() as made:
            self.server = Namespace()
            made.callback(self.server.delete)
            self.client = Namespace()
            made.callback(self.client.delete)
            self.server.ip("link", "add", "wan", "type", "veth", "peer", "name", "wan", "netns", self.client.path)
            ends = ((self.server, self.SERVER, self.SERVER_IPV6), (self.client, self.CLIENT, self.CLIENT_IPV6))
            for end, ipv4, ipv6 in ends:
                end.ip("address", "add", f"{ipv4}/24", "dev", "wan")
                end.ip("address", "add", f"{ipv6}/64", "dev", "wan", "nodad")
                end.ip("link", "set", "wan", "up")
            self._made = made.pop_all()

    def shape(self, *queue: str) -> None:
        """The same queue discipline in both directions."""
        for end in (self.server, self.client):
            end.tc("qdisc", "replace", "dev", "wan", "root", *queue)

    def move_client(self) -> None:
        """The client's machine gets another address and loses the one it had."""
        self.client.ip("address", "delete", f"{self.CLIENT}/24", "dev", "wan")
        self.client.ip("address", "add", f"{self.CLIENT_LATER}/24", "dev", "wan")

    def delete(self) -> None:
        self._made.close()
