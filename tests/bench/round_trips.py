# SPDX-License-Identifier: MIT
"""Round trips of 64 bytes, one at a time: as the kernel places the processes, and with all of them on one processor.

A round trip through a tunnel wakes six processes, the raw one two. Where an idle processor sleeps deeply, as most virtual ones
do, waking it costs more than all that the processes do; and whether the kernel wakes one or stays on the same differs from run
to run. On one processor none sleeps, so that what is added is what the programs take.
"""

import contextlib
import os
import pathlib

from paths import load
from report import Target, table

PLACEMENTS = {"latency": "as the kernel places them", "latency, one processor": "all on one processor"}


def threads_of(processes):
    return [int(task.name) for process in processes for task in pathlib.Path(f"/proc/{process.popen.pid}/task").iterdir()]


@contextlib.contextmanager
def on_one_processor(processes):
    """These, and what this process starts meanwhile."""
    everywhere = os.sched_getaffinity(0)
    threads = [0, *threads_of(processes)]
    try:
        for thread in threads:
            os.sched_setaffinity(thread, {min(everywhere)})
        yield
    finally:
        for thread in threads:
            os.sched_setaffinity(thread, everywhere)


def measure(setting, protocol, program, ways, service, figures):
    count = 2000 if setting.quick else 10000
    for name, placement in PLACEMENTS.items():
        rows = []
        for path in ways:
            one_processor = on_one_processor([service, *path.processes])
            with one_processor if name != "latency" else contextlib.nullcontext():
                result = load(program, "latency", path.port, count)
            figures[path.name][name] = result
            added = result["p50_us"] - figures["raw"][name]["p50_us"]
            rows.append((path.name, [f"{result['p50_us']:.1f}", f"{result['p99_us']:.1f}", f"{added:.1f}"]))
        table(f"{protocol}, round trip of 64 bytes, us, {placement}", ["p50", "p99", "added p50"], rows)


def targets(key, protocol, path, figures):
    return {
        f"{key}{'_one_processor' if name != 'latency' else ''}": Target(
            figures[path][name]["p50_us"] - figures["raw"][name]["p50_us"], "under", 60.0,
            f"us added to a 64-byte round trip by {protocol}, p50, {placement}")
        for name, placement in PLACEMENTS.items()
    }
