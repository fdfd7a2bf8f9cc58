#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures a tunnel beside the raw path, a plain TCP relay and bare QUIC, in one run.

Every way from visitor to service ("path") gets the same load. CPU is that of the processes between them (for a tunnel: server
and client), read from the kernel's accounting; memory is their resident set.

    ./dev bench                      everything, a few minutes
    ./dev bench --quick              the same with less data
    ./dev bench ha                   one of its parts: tcp, udp or ha; --only ha is the same
    ./dev bench --json FILE          where the figures go as JSON (default build/bench.json)
    ./dev bench --peer go=PATH       also the QMux program at PATH (repeatable)

QMUX_BINARY names the program that is measured (default: build/release/qmux, its own benchmark programs beside it);
QMUX_REFERENCE a Go program, measured as one more peer.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from paths import BINARY, ROOT

sys.path.append(str(ROOT / "tests/e2e"))  # its harness

import ha_part  # noqa: E402
import tcp_part  # noqa: E402
import udp_part  # noqa: E402
from harness.certificates import SERVER_NAME  # noqa: E402
from report import judge  # noqa: E402

PARTS = {"tcp": tcp_part, "udp": udp_part, "ha": ha_part}


@dataclass(frozen=True)
class Setting:
    """What all parts are given."""

    binary: pathlib.Path
    peers: list[tuple[str, str]]
    certs: pathlib.Path
    directory: pathlib.Path
    quick: bool

    @property
    def runs(self):
        return 1 if self.quick else 3

    @property
    def total_bytes(self):
        return 500_000_000 if self.quick else 2_000_000_000


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("part", nargs="?", choices=PARTS, help="measure this part alone")
    parser.add_argument("--only", choices=PARTS, help="the same")
    parser.add_argument("--json", default=ROOT / "build/bench.json", type=pathlib.Path)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PATH")
    options = parser.parse_args()
    options.part = options.part or options.only
    return options


def named_peers(options):
    peers = [peer.partition("=")[::2] for peer in options.peer]
    reference = os.environ.get("QMUX_REFERENCE")
    return [*peers, ("go", reference)] if reference else peers


def main():
    options = parse_arguments()
    figures = {"machine": {"cpus": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()}}
    targets = {}
    with tempfile.TemporaryDirectory(prefix="qmux-bench.") as temporary:
        directory = pathlib.Path(temporary)
        certs = directory / "certs"
        names = f"localhost,{SERVER_NAME}"
        subprocess.run([BINARY, "generate", "certs", "-s", names, "-o", certs], check=True, capture_output=True)
        setting = Setting(BINARY, named_peers(options), certs, directory, options.quick)
        for name, part in PARTS.items():
            if options.part in (None, name):
                figures[name] = part.run(setting)
                targets |= part.targets(figures[name])
    judge(targets)
    figures["targets"] = {name: target.value for name, target in targets.items()}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nload of the machine before and after: {figures['machine']['load'][0]:.1f}, {os.getloadavg()[0]:.1f}")
    print(f"figures: {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
