#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures a tunnel beside the raw path, a plain TCP relay and bare QUIC, in one run.

Every way from visitor to service ("path") gets the same load. CPU is that of the processes between them (for a tunnel: server
and client), read from the kernel's accounting; memory is their resident set.

    ./dev bench                      everything, a few minutes
    ./dev bench --quick              the same with less data
    ./dev bench --json FILE          where the figures go as JSON (default build/bench.json)
    ./dev bench --peer go=PATH       also the QMux program at PATH (repeatable; --peer go=$QMUX_REFERENCE)
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ETHERNET_PAYLOAD = 1452  # of a UDP packet on a path of 1500 bytes


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
    import socket

    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tunnel(name, binary, certs, directory, service_port, packet_bytes=None):
    """Server and client of a QMux program. `packet_bytes`: largest packet (ours only)."""
    import socket

    quic, traffic = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    limit = f"    max_udp_payload_size: {packet_bytes}\n" if packet_bytes else ""
    streams = "    maxincomingstreams: 65536\n"
    server = directory / f"{name}-server.yaml"
    server.write_text(
        f'listeners:\n  - quic_addr: "127.0.0.1:{quic}"\n    traffic_addr: "127.0.0.1:{traffic}"\n    protocol: "tcp"\n{limit}'
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
    wait_for_port(traffic)
    processes.append(Process(binary, "run", "client", "-c", client))
    path = Path(name, traffic, processes)
    wait_for_tunnel(path)
    return path


def wait_for_port(port, timeout=15):
    import socket

    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nobody listens on port {port}")


def wait_for_tunnel(path, timeout=20):
    """Until a round trip through it works."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        done = subprocess.run([LOAD, "latency", str(path.port), "10"], capture_output=True, timeout=10, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"{path.name}: no tunnel came up")


def load(*arguments):
    done = subprocess.run([LOAD, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"load {' '.join(map(str, arguments))}: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(done.stdout)


def measure_throughput(path, direction, streams, total_bytes):
    before = path.cpu_seconds()
    result = load("throughput", path.port, direction, streams, total_bytes // streams)
    cpu = path.cpu_seconds() - before
    return {
        "gbit_per_s": result["bytes"] * 8 / result["seconds"] / 1e9,
        "cpu_s_per_gb": cpu / (result["bytes"] / 1e9),
        "inexact": 0 if result["exact"] else 1,
    }


def measure_latency(path, count):
    return load("latency", path.port, count)


def measure_short(path, seconds):
    before = path.cpu_seconds()
    result = load("short", path.port, 32, seconds)
    return {
        "per_s": result["connections"] / result["seconds"],
        "failed": result["failed"],
        "inexact": result["inexact"],
        "cpu_us_each": (path.cpu_seconds() - before) * 1e6 / max(result["connections"], 1),
    }


def measure_idle(path, count):
    visitors = Process(LOAD, "idle", path.port, count)
    visitors.line_with("ready", 60)
    time.sleep(1)  # what only the burst of opening needed is given back meanwhile: this measures rest
    resident = path.resident_bytes()
    visitors.stop()
    return resident / 1e6


class BareQuic:
    """Server and client of bare_quic: the client is load and far end in one, so its CPU counts too."""

    def __init__(self, bench, packet_bytes):
        self.bench, self.packet_bytes = bench, packet_bytes
        self.fixtures = ROOT / "tests" / "fixtures"

    def measure(self, direction, streams, total_bytes):
        server = Process(self.bench / "bare_quic", "server", self.fixtures, self.packet_bytes)
        try:
            port = port_of(server)
            before = server.cpu_seconds()
            done = subprocess.run(
                [self.bench / "bare_quic", "client", self.fixtures, str(port), str(streams), str(total_bytes // streams),
                 direction, str(self.packet_bytes)],
                capture_output=True, text=True, timeout=300, check=True,
            )
            result = json.loads(done.stdout)
            cpu = server.cpu_seconds() - before + result["cpu_seconds"]
        finally:
            server.stop()
        return {
            "gbit_per_s": result["bytes"] * 8 / result["seconds"] / 1e9,
            "cpu_s_per_gb": cpu / (result["bytes"] / 1e9),
        }


def median_of(runs, measure):
    """Runs `measure` several times and takes each figure's median."""
    results = [measure() for _ in range(runs)]
    return {key: statistics.median(result[key] for result in results) for key in results[0]}


def row(*cells):
    print("  ".join(f"{cell:>{width}}" if i else f"{cell:<{width}}" for i, (cell, width) in enumerate(cells)))


def table(title, columns, rows):
    print(f"\n{title}")
    row(("", 24), *((column, 14) for column in columns))
    for name, values in rows:
        row((name, 24), *((value, 14) for value in values))
    sys.stdout.flush()


def throughput_cells(result):
    return [f"{result['gbit_per_s']:.2f}", f"{result['cpu_s_per_gb']:.2f}"]


def exactness(result):
    return "not exact" if result["inexact"] else ""


TARGETS = {
    "cpu_s_per_gb_1452": (2.0, "CPU-s/GB with packets of at most 1452 bytes"),
    "cpu_s_per_gb_path": (1.3, "CPU-s/GB with the packets that the path takes"),
    "added_latency_us": (60.0, "us added to a 64-byte round trip, p50"),
    "multiple": (1.4, "times bare QUIC and a plain relay together"),
    "short_per_s": (6000.0, "short connections a second, 32 at once"),
    "idle_mb": (40.0, "MB resident with 2,000 idle tunnels"),
}


def judge(figures):
    print("\ntargets")
    met = True
    for key, (limit, what) in TARGETS.items():
        value = figures[key]
        good = value > limit if key == "short_per_s" else value < limit
        met = met and good
        verdict, side = "met   " if good else "MISSED", "over" if key == "short_per_s" else "under"
        print(f"  {verdict}  {value:8.2f}  ({side} {limit:g})  {what}")
    return met


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / "build/release/qmux", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", default=ROOT / "build/bench.json", type=pathlib.Path)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PATH")
    options = parser.parse_args()
    bench = options.binary.parent / "tests/bench"
    global LOAD
    LOAD = bench / "load"
    total = 500_000_000 if options.quick else 2_000_000_000
    runs = 1 if options.quick else 3
    peers = [peer.partition("=")[::2] for peer in options.peer]

    figures = {"machine": {"cpus": os.cpu_count(), "kernel": platform.release()}, "paths": {}}
    service = Process(LOAD, "service")
    paths = []
    with tempfile.TemporaryDirectory(prefix="qmux-bench.") as temporary:
        directory = pathlib.Path(temporary)
        certs = directory / "certs"
        subprocess.run([options.binary, "generate", "certs", "-s", "localhost", "-o", certs], check=True, capture_output=True)
        try:
            service_port = port_of(service)
            relay = Process(bench / "plain_relay", service_port)
            paths = [Path("raw", service_port, []), Path("plain relay", port_of(relay), [relay])]
            ours = tunnel("qmux-1452", options.binary, certs, directory, service_port, ETHERNET_PAYLOAD)
            ours_path = tunnel("qmux", options.binary, certs, directory, service_port)
            paths += [ours, ours_path]
            paths += [tunnel(name, binary, certs, directory, service_port) for name, binary in peers]
            bare = {"bare QUIC 1452": BareQuic(bench, ETHERNET_PAYLOAD), "bare QUIC": BareQuic(bench, 65507)}

            for path in paths:
                figures["paths"][path.name] = {"throughput": {}}
            for name in bare:
                figures["paths"][name] = {"throughput": {}}
            for direction in ("down", "up"):
                for streams in (1, 2, 4):
                    rows = []
                    shape = f"{direction} {streams}"
                    for path in paths:
                        result = median_of(runs, lambda p=path: measure_throughput(p, direction, streams, total))
                        figures["paths"][path.name]["throughput"][shape] = result
                        rows.append((path.name, [*throughput_cells(result), exactness(result)]))
                    for name, quic in bare.items():
                        result = median_of(runs, lambda q=quic: q.measure(direction, streams, total))
                        figures["paths"][name]["throughput"][shape] = result
                        rows.append((name, throughput_cells(result)))
                    table(f"{direction}, {streams} stream{'s' if streams > 1 else ''}", ["Gbit/s", "CPU-s/GB", ""], rows)

            rows = []
            for path in paths:
                result = median_of(runs, lambda p=path: measure_latency(p, 2000 if options.quick else 10000))
                figures["paths"][path.name]["latency"] = result
                added = result["p50_us"] - figures["paths"]["raw"]["latency"]["p50_us"]
                rows.append((path.name, [f"{result['p50_us']:.1f}", f"{result['p99_us']:.1f}", f"{added:.1f}"]))
            table("round trip of 64 bytes, us", ["p50", "p99", "added p50"], rows)

            rows = []
            for path in paths:
                result = measure_short(path, 2 if options.quick else 5)
                figures["paths"][path.name]["short"] = result
                cells = [f"{result['per_s']:.0f}", f"{result['failed']}", f"{result['cpu_us_each']:.0f}"]
                rows.append((path.name, [*cells, exactness(result)]))
            table("short connections, 32 at once", ["per second", "failed", "CPU us each", ""], rows)

            rows = []
            for name, binary in [("qmux", options.binary), *peers]:
                fresh = tunnel(f"{name}-idle", binary, certs, directory, service_port)
                try:
                    empty = fresh.resident_bytes() / 1e6
                    megabytes = measure_idle(fresh, 2000)
                finally:
                    fresh.stop()
                figures["paths"][name]["idle_mb"] = megabytes
                rows.append((name, [f"{empty:.1f}", f"{megabytes:.1f}"]))
            table("resident memory, server and client together, MB", ["no tunnel", "2,000 idle"], rows)
        finally:
            for path in paths:
                path.stop()
            service.stop()

    by_name = figures["paths"]
    shapes = by_name["qmux"]["throughput"].keys()
    cost = lambda name, shape: by_name[name]["throughput"][shape]["cpu_s_per_gb"]
    figures["targets"] = {
        "cpu_s_per_gb_1452": max(cost("qmux-1452", shape) for shape in shapes),
        "cpu_s_per_gb_path": max(cost("qmux", shape) for shape in shapes),
        "added_latency_us": by_name["qmux"]["latency"]["p50_us"] - by_name["raw"]["latency"]["p50_us"],
        # What a tunnel does: relay at both ends (one plain relay reads and writes as much as the two), and QUIC in between.
        "multiple": max(cost("qmux-1452", s) / (cost("bare QUIC 1452", s) + cost("plain relay", s)) for s in shapes),
        "short_per_s": by_name["qmux"]["short"]["per_s"],
        "idle_mb": by_name["qmux"]["idle_mb"],
    }
    judge(figures["targets"])
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nfigures: {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
