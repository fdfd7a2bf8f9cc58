# SPDX-License-Identifier: MIT
"""Names that stand for the addresses that a test says, for programs that are started within them: a hosts file of their own, and
no name server, in a mount namespace of their own."""

import subprocess
from pathlib import Path


def unavailable() -> str | None:
    """Why there can be none here; None: there can."""
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, timeout=20)
    return None if tried.returncode == 0 else f"needs mount namespaces: {tried.stderr.strip()}"


class Names:
    def __init__(self, directory: Path):
        self._file = directory / "hosts"
        self._file.write_text("")
        switch = directory / "nsswitch.conf"
        switch.write_text("hosts: files\n")
        show = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/nsswitch.conf && shift && exec "$@"'
        self.within = ("unshare", "--mount", "sh", "-c", show, str(self._file), str(switch))

    def set(self, name: str, *addresses: str) -> None:
        """In place: the running programs see the same file."""
        self._file.write_text("".join(f"{address} {name}\n" for address in addresses))
