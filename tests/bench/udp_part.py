# SPDX-License-Identifier: MIT
"""UDP: what is delivered when more is offered than can be carried, loss at a rate that can, round trips, system calls."""

import shutil
import subprocess

import round_trips
from paths import ETHERNET_PAYLOAD, Path, Process, load, port_of, programs, tunnel
from report import Target, median_of, table

SIZES = (1200, 1400)
DIRECTIONS = ("up", "down")
# In runs: more than any program delivers, and the raw path carries it. One by one the sender itself sets the limit.
OVERLOAD_MBIT = 8000
FIXED_MBIT = 200
# Packets that a visitor hands to its kernel in one piece, as a QUIC or WireGuard program of today does; and one by one.
IN_RUNS, SINGLY = 32, 1


def measure_flood(path, service_port, direction, size, mbit, seconds, run):
    before = path.cpu_seconds()
    result = load("udp_load", direction, path.port, service_port, size, mbit, seconds, run)
    cpu = path.cpu_seconds() - before
    return {
        "offered_mbit_per_s": result["sent"] * size * 8 / seconds / 1e6,
        "mbit_per_s": result["bytes"] * 8 / result["seconds"] / 1e6,
        "cpu_s_per_gb": cpu / (max(result["bytes"], 1) / 1e9),
        "packets": result["received"],
        "lost": max(result["sent"] - result["received"], 0) / max(result["sent"], 1),
        "misshapen": result["misshapen"],
    }


class SystemCalls:
    """Those of the processes of a path while the context lasts; `count` is None where they cannot be counted."""

    def __init__(self, path, directory):
        self.path, self.report, self.count = path, directory / "system-calls", None

    def __enter__(self):
        self.perf = None
        if shutil.which("perf") and self.path.processes:
            pids = ",".join(str(process.popen.pid) for process in self.path.processes)
            command = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-o", self.report, "-p", pids]
            self.perf = subprocess.Popen([*command, "--", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        if self.perf is None:
            return
        self.perf.stdin.close()  # ends cat, and perf with it
        self.perf.wait(10)
        for line in self.report.read_text().splitlines():
            if "raw_syscalls" in line and line.split(",")[0].isdigit():
                self.count = int(line.split(",")[0])


def measure_system_calls(setting, path, service_port, direction, size, seconds):
    """A payload that arrives."""
    with SystemCalls(path, setting.directory) as calls:
        result = measure_flood(path, service_port, direction, size, OVERLOAD_MBIT, seconds, IN_RUNS)
    return None if calls.count is None else calls.count / max(result["packets"], 1)


def shape_of(direction, size, run=IN_RUNS):
    return f"{direction} {size}" + ("" if run == IN_RUNS else " singly")


def measure_overload(setting, ways, service_port, seconds, figures):
    for run in (IN_RUNS, SINGLY):
        for direction in DIRECTIONS:
            for size in SIZES:
                rows = []
                shape = shape_of(direction, size, run)
                for path in ways:
                    result = median_of(setting.runs, lambda p=path: measure_flood(
                        p, service_port, direction, size, OVERLOAD_MBIT, seconds, run))
                    figures[path.name]["overload"][shape] = result
                    rows.append((path.name, [f"{result['offered_mbit_per_s']:.0f}", f"{result['mbit_per_s']:.0f}",
                                             f"{result['cpu_s_per_gb']:.2f}", "misshapen" if result["misshapen"] else ""]))
                how = f"in runs of {run}" if run > 1 else "one by one"
                table(f"UDP {direction}, {size} bytes, more than can be carried, {how}",
                      ["offered Mbit/s", "delivered", "CPU-s/GB", ""], rows)


def measure_fixed_rate(setting, ways, service_port, seconds, figures):
    for direction in DIRECTIONS:
        for size in SIZES:
            rows = []
            for path in ways:
                result = measure_flood(path, service_port, direction, size, FIXED_MBIT, seconds, SINGLY)
                figures[path.name]["fixed rate"][shape_of(direction, size)] = result
                rows.append((path.name, [f"{result['mbit_per_s']:.0f}", f"{result['lost']:.4%}",
                                         f"{result['cpu_s_per_gb']:.2f}"]))
            table(f"UDP {direction}, {size} bytes at {FIXED_MBIT} Mbit/s", ["delivered", "lost", "CPU-s/GB"], rows)


def measure_all_system_calls(setting, ways, service_port, seconds, figures):
    rows = []
    for path in ways:
        if not path.processes:
            continue
        cells = []
        for direction in DIRECTIONS:
            for size in SIZES:
                calls = measure_system_calls(setting, path, service_port, direction, size, seconds)
                figures[path.name]["system calls"][shape_of(direction, size)] = calls
                cells.append("-" if calls is None else f"{calls:.3f}")
        rows.append((path.name, cells))
    table("UDP, system calls of server and client together for a payload that arrives, under overload",
          [shape_of(direction, size) for direction in DIRECTIONS for size in SIZES], rows)


def run(setting):
    """Returns the figures by path."""
    seconds = 1.5 if setting.quick else 3
    service = Process(programs() / "udp_load", "service")
    ways = []
    try:
        service_port = port_of(service)
        arguments = (setting.certs, setting.directory, service_port)
        ways = [Path("raw", service_port, [])]
        ways.append(tunnel("udp-qmux-1452", setting.binary, *arguments, ETHERNET_PAYLOAD, protocol="udp"))
        ways.append(tunnel("udp-qmux", setting.binary, *arguments, protocol="udp"))
        ways += [tunnel(f"udp-{name}", binary, *arguments, protocol="udp") for name, binary in setting.peers]
        figures = {path.name: {"overload": {}, "fixed rate": {}, "system calls": {}} for path in ways}
        measure_overload(setting, ways, service_port, seconds, figures)
        measure_fixed_rate(setting, ways, service_port, seconds, figures)
        round_trips.measure(setting, "UDP", "udp_load", ways, service, figures)
        measure_all_system_calls(setting, ways, service_port, seconds, figures)
        return figures
    finally:
        for path in ways:
            path.stop()
        service.stop()


def targets(figures):
    ours = [figures["udp-qmux-1452"], figures["udp-qmux"]]
    runs = [shape_of(direction, size) for direction in DIRECTIONS for size in SIZES]
    calls = [one["system calls"][shape] for one in ours for shape in runs]
    return {
        "udp_mbit_per_s": Target(min(one["overload"][shape]["mbit_per_s"] for one in ours for shape in runs), "over", 1200.0,
                                 "Mbit/s by UDP when more is offered, at 1,200 and 1,400 bytes"),
        "udp_cpu_s_per_gb": Target(max(one["overload"][shape]["cpu_s_per_gb"] for one in ours for shape in runs), "under", 7.0,
                                   "CPU-s/GB by UDP"),
        "udp_lost_percent": Target(100 * max(one["fixed rate"][shape]["lost"] for one in ours for shape in runs), "under",
                                   1e-9, f"% lost by UDP at {FIXED_MBIT} Mbit/s"),
        **round_trips.targets("udp_added_latency_us", "UDP", "udp-qmux", figures),
        "udp_system_calls": Target(None if None in calls else max(calls), "under", 1.0,
                                   "system calls for a payload that arrives"),
    }
