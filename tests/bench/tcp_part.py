# SPDX-License-Identifier: MIT
"""TCP: throughput, round trips, short connections and idle ones, beside a plain relay and bare QUIC."""

import json
import subprocess
import time

import round_trips
from paths import ETHERNET_PAYLOAD, ROOT, Path, Process, load, port_of, programs, tunnel
from report import Target, median_of, table


def measure_throughput(path, direction, streams, total_bytes):
    before = path.cpu_seconds()
    result = load("load", "throughput", path.port, direction, streams, total_bytes // streams)
    cpu = path.cpu_seconds() - before
    return {
        "gbit_per_s": result["bytes"] * 8 / result["seconds"] / 1e9,
        "cpu_s_per_gb": cpu / (result["bytes"] / 1e9),
        "inexact": 0 if result["exact"] else 1,
    }


def measure_short(path, seconds):
    before = path.cpu_seconds()
    try:
        result = load("load", "short", path.port, 32, seconds, timeout=10 * seconds + 10)
    except subprocess.TimeoutExpired:  # a program that answers one of them with nothing, for ever
        return None
    return {
        "per_s": result["connections"] / result["seconds"],
        "failed": result["failed"],
        "inexact": result["inexact"],
        "cpu_us_each": (path.cpu_seconds() - before) * 1e6 / max(result["connections"], 1),
    }


def measure_idle(path, count):
    visitors = Process(programs() / "load", "idle", path.port, count)
    visitors.line_with("ready", 60)
    time.sleep(1)  # what only the burst of opening needed is given back meanwhile: this measures rest
    resident = path.resident_bytes()
    visitors.stop()
    return resident / 1e6


class BareQuic:
    """Server and client of bare_quic: the client is load and far end in one, so its CPU counts too."""

    def __init__(self, packet_bytes):
        self.bench, self.packet_bytes = programs(), packet_bytes
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


def throughput_cells(result):
    return [f"{result['gbit_per_s']:.2f}", f"{result['cpu_s_per_gb']:.2f}"]


def exactness(result):
    return "not exact" if result["inexact"] else ""


def measure_all_throughput(setting, ways, bare, figures):
    for direction in ("down", "up"):
        for streams in (1, 2, 4):
            rows = []
            shape = f"{direction} {streams}"
            for path in ways:
                result = median_of(setting.runs, lambda p=path: measure_throughput(p, direction, streams, setting.total_bytes))
                figures[path.name]["throughput"][shape] = result
                rows.append((path.name, [*throughput_cells(result), exactness(result)]))
            for name, quic in bare.items():
                result = median_of(setting.runs, lambda q=quic: q.measure(direction, streams, setting.total_bytes))
                figures[name]["throughput"][shape] = result
                rows.append((name, throughput_cells(result)))
            table(f"{direction}, {streams} stream{'s' if streams > 1 else ''}", ["Gbit/s", "CPU-s/GB", ""], rows)


def measure_all_short(setting, ways, figures):
    rows = []
    for path in ways:
        result = measure_short(path, 2 if setting.quick else 5)
        figures[path.name]["short"] = result
        if result is None:
            rows.append((path.name, ["-", "-", "-", "hangs"]))
            continue
        cells = [f"{result['per_s']:.0f}", f"{result['failed']}", f"{result['cpu_us_each']:.0f}"]
        rows.append((path.name, [*cells, exactness(result)]))
    table("short connections, 32 at once", ["per second", "failed", "CPU us each", ""], rows)


def measure_all_idle(setting, service_port, figures):
    rows = []
    for name, binary in [("qmux", setting.binary), *setting.peers]:
        fresh = tunnel(f"{name}-idle", binary, setting.certs, setting.directory, service_port)
        try:
            empty = fresh.resident_bytes() / 1e6
            megabytes = measure_idle(fresh, 2000)
        finally:
            fresh.stop()
        figures[name]["idle_mb"] = megabytes
        rows.append((name, [f"{empty:.1f}", f"{megabytes:.1f}"]))
    table("resident memory, server and client together, MB", ["no tunnel", "2,000 idle"], rows)


def run(setting):
    """Returns the figures by path."""
    service = Process(programs() / "load", "service")
    ways = []
    try:
        service_port = port_of(service)
        relay = Process(programs() / "plain_relay", service_port)
        ways = [Path("raw", service_port, []), Path("plain relay", port_of(relay), [relay])]
        arguments = (setting.certs, setting.directory, service_port)
        ways.append(tunnel("qmux-1452", setting.binary, *arguments, ETHERNET_PAYLOAD))
        ways.append(tunnel("qmux", setting.binary, *arguments))
        ways += [tunnel(name, binary, *arguments) for name, binary in setting.peers]
        bare = {"bare QUIC 1452": BareQuic(ETHERNET_PAYLOAD), "bare QUIC": BareQuic(65507)}
        figures = {name: {"throughput": {}} for name in [*(path.name for path in ways), *bare]}
        measure_all_throughput(setting, ways, bare, figures)
        round_trips.measure(setting, "TCP", "load", ways, service, figures)
        measure_all_short(setting, ways, figures)
        measure_all_idle(setting, service_port, figures)
        return figures
    finally:
        for path in ways:
            path.stop()
        service.stop()


def targets(figures):
    shapes = figures["qmux"]["throughput"].keys()

    def cost(name, shape):
        return figures[name]["throughput"][shape]["cpu_s_per_gb"]

    # What a tunnel does: relay at both ends (one plain relay reads and writes as much as the two), and QUIC in between.
    multiple = max(cost("qmux-1452", s) / (cost("bare QUIC 1452", s) + cost("plain relay", s)) for s in shapes)
    return {
        "cpu_s_per_gb_1452": Target(max(cost("qmux-1452", s) for s in shapes), "under", 2.0,
                                    "CPU-s/GB with packets of at most 1452 bytes"),
        "cpu_s_per_gb_path": Target(max(cost("qmux", s) for s in shapes), "under", 1.3,
                                    "CPU-s/GB with the packets that the path takes"),
        **round_trips.targets("added_latency_us", "TCP", "qmux", figures),
        "multiple": Target(multiple, "under", 1.4, "times bare QUIC and a plain relay together"),
        "short_per_s": Target((figures["qmux"]["short"] or {}).get("per_s"), "over", 6000.0,
                              "short connections a second, 32 at once"),
        "idle_mb": Target(figures["qmux"]["idle_mb"], "under", 40.0, "MB resident with 2,000 idle tunnels"),
    }
