# SPDX-License-Identifier: MIT
"""nginx as the local service: serves the files of a directory and takes uploads into it (PUT)."""

import shutil
import socket
import subprocess
from pathlib import Path

from .ports import free_port
from .waiting import wait_until

_CONFIGURATION = """
daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    client_max_body_size 0;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {server}
}}
"""
_FILE_SERVER = """
    server {{
        listen {address};
        root {directory}/files;
        dav_methods PUT;
    }}
"""


def path() -> str | None:
    return shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


class Nginx:
    """One nginx with its own directory; `files` is what it serves. Has what a Tunnel asks of its service.

    `server` and `port`: a server block of its own in place of the files, and where that one listens."""

    def __init__(self, directory: Path, host: str = "127.0.0.1", server: str | None = None, port: int | None = None):
        self.host = host
        self.port = port or free_port()
        self.files = directory / "files"
        self.files.mkdir(parents=True)
        address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        configuration = directory / "nginx.conf"
        server = server or _FILE_SERVER.format(directory=directory, address=address)
        configuration.write_text(_CONFIGURATION.format(directory=directory, server=server))
        self._log = open(directory / "output.log", "wb")
        self._child = subprocess.Popen([path(), "-p", str(directory), "-c", str(configuration)],
                                       stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        wait_until(self._listens, "nginx listens")

    def _listens(self) -> bool:
        assert self._child.poll() is None, "nginx ended; see error.log in its directory"
        try:
            socket.create_connection((self.host, self.port), 1).close()
        except OSError:
            return False
        return True

    def down(self) -> None:
        self._child.kill()
        self._child.wait()
        self._log.close()
