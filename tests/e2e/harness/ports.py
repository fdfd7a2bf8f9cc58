# SPDX-License-Identifier: MIT
"""Free ports on loopback.

The programs are given port numbers, since not all of them report which one they took for port 0. Numbers come from
below the kernel's ephemeral range, so that no outgoing connection takes one between the check here and its use.
"""

import random
import socket

_FIRST, _LAST = 10_000, 31_999
_given: set[int] = set()


def free_port() -> int:
    """A port that is free for TCP and UDP, IPv4 and IPv6, and not given before in this run."""
    while True:
        port = random.randint(_FIRST, _LAST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family, kind) as sock:
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                try:
                    sock.bind((host, port))
                except OSError:
                    return False
    return True
