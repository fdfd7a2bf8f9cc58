# SPDX-License-Identifier: MIT
"""examples/ha behind HAProxy, while a server and a client are killed and restarted."""

import itertools
import shutil

from harness import cluster
from harness.cluster import EXAMPLE, SERVICES, Cluster
from harness.visitors import Crowd

from report import Target, table

PER_SECOND, SECONDS = 20, 30
SERVER, CLIENT = "server-1", "client-a-1"
HANDOVERS = {"safe": 4, "eager": 1}


def unavailable():
    return cluster.unavailable()


def files_with(stage, handover):
    """The example's, with another `handover`."""
    files = stage.directory() / "files"
    shutil.copytree(EXAMPLE, files, ignore=shutil.ignore_patterns("certs"))
    for server in files.glob("server-*.yaml"):
        server.write_text(server.read_text().replace('handover: "safe"', f'handover: "{handover}"'))
    return files


def run(stage, handover):
    running = Cluster(stage.directory(), stage.credentials, files_with(stage, handover), stage.program)
    try:
        running.start()
        groups = itertools.cycle(SERVICES)
        crowd = Crowd(lambda: running.visit(next(groups)), PER_SECOND)
        crowd.after(5)
        running.process(SERVER).kill()
        crowd.after(10)
        running.begin(SERVER)
        crowd.after(15)
        running.process(CLIENT).kill()
        crowd.after(20)
        running.begin(CLIENT)
        crowd.after(SECONDS)
        outcome = crowd.finish()
    finally:
        running.stop()
    print(f"{stage.program.name}, {handover}: {outcome}")
    return {"visitors": len(outcome.visits), "failed": len(outcome.failures), "slow": len(outcome.slow),
            "longest_s": outcome.longest}


def measure(stage):
    return {f"cluster, {handover}": run(stage, handover) for handover in HANDOVERS}


def show(figures):
    rows = []
    for program, figure in figures.items():
        for handover in HANDOVERS:
            if own := figure.get(f"cluster, {handover}"):
                cells = [own["visitors"], own["failed"], own["slow"], f"{own['longest_s']:.2f}"]
                rows.append((f"{program}, {handover}", cells))
    title = f"cluster behind HAProxy, {PER_SECOND} visitors a second, a server and a client killed and restarted"
    table(title, ["visitors", "failed", "over 1 s", "longest, s"], rows)


def targets(own):
    return {
        f"ha_cluster_{handover}_failed": Target(own.get(f"cluster, {handover}", {}).get("failed"), "under", limit,
                                                f"of {PER_SECOND * SECONDS} visitors of the cluster failed, {handover}")
        for handover, limit in HANDOVERS.items()
    }
