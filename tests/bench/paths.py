# SPDX-License-Identifier: MIT
"""The ways from visitors to a service: raw, through a relay, through a tunnel; and the programs that make them."""

import json
import os
import pathlib
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("QMUX_BINARY", ROOT / "build/release/qmux"))
ETHERNET_PAYLOAD = 1452  # of a UDP packet on a path of 1500 bytes


def programs():
    """Where the benchmark's own programs are."""
    return BINARY.parent / "tests/bench"


class Process:
    """A program under measurement; ends with the context."""

    def __init__(self, *command, log=None):
        self.log = log or subprocess.DEVNULL
        self.popen = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def line_with(self, text, timeout=15):
        deadline = time.monotonic() + timeout
        seen = []
        while time.monotonic() < deadline:
            line = self.popen.stdout.readline()
            if not line:
                break
            seen.append(line)
            if text in line:
                return line
        raise RuntimeError(f"{self.popen.args[0]} did not say {text!r}:\n" + "".join(seen))

    def stop(self):
        self.popen.stdin.close()
        try:
            self.popen.wait(0.5)
        except subprocess.TimeoutExpired:
            self.popen.terminate()
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self.popen.stdout.close()

    def cpu_seconds(self):
        total = 0
        for task in pathlib.Path(f"/proc/{self.popen.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.popen.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        return 0


class Path:
    """A way from visitors to the service: the port to come to, and the processes in between."""

    def __init__(self, name, port, processes):
        self.name, self.port, self.processes = name, port, processes

    def cpu_seconds(self):
        return sum(process.cpu_seconds() for process in self.processes)

    def resident_bytes(self):
        return sum(process.resident_bytes() for process in self.processes)

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


def port_of(process):
    return int(process.line_with("port ").split()[1])


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tunnel(name, binary, certs, directory, service_port, packet_bytes=None, protocol="tcp"):
    """Server and client of a QMux program. `packet_bytes`: largest packet (ours only)."""
    quic, traffic = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    limit = f"    max_udp_payload_size: {packet_bytes}\n" if packet_bytes else ""
    streams = "    maxincomingstreams: 65536\n"
    server = directory / f"{name}-server.yaml"
    server.write_text(
        f'listeners:\n  - quic_addr: "127.0.0.1:{quic}"\n    traffic_addr: "127.0.0.1:{traffic}"\n'
        f'    protocol: "{protocol}"\n{limit}'
        f"auth:\n  method: mtls\n  ca_cert_file: {certs}/ca.crt\n"
        f"tls:\n  server_cert_file: {certs}/server.crt\n  server_key_file: {certs}/server.key\n"
    )
    client = directory / f"{name}-client.yaml"
    client.write_text(
        f'server:\n  servers:\n    - address: "127.0.0.1:{quic}"\n      server_name: qmux-server\n'
        f"local:\n  host: 127.0.0.1\n  port: {service_port}\nquic:\n{streams}{limit}"
        f"tls:\n  ca_cert_file: {certs}/ca.crt\n  client_cert_file: {certs}/client.crt\n  client_key_file: {certs}/client.key\n"
    )
    processes = [Process(binary, "run", "server", "-c", server)]
    if protocol == "tcp":
        wait_for_port(traffic)
    processes.append(Process(binary, "run", "client", "-c", client))
    path = Path(name, traffic, processes)
    wait_for_tunnel(path, protocol)
    return path


def wait_for_port(port, timeout=15):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"none listens on port {port}")


def wait_for_tunnel(path, protocol, timeout=20):
    """Until a round trip through it works."""
    program = programs() / ("load" if protocol == "tcp" else "udp_load")
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        done = subprocess.run([program, "latency", str(path.port), "10"], capture_output=True, timeout=10, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"{path.name}: no tunnel came up")


def load(program, *arguments, timeout=300):
    """What the visitors of `program` report. Raises subprocess.TimeoutExpired when they do not come to an end."""
    command = [programs() / program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{program} {' '.join(map(str, arguments))}: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(done.stdout)
