#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rules of this code that no compiler checks: prints every breach as file:line: text and fails when there is one.

- the first line of a source file is its licence (after a #! line)
- a file has at most 500 lines (a test 600); a line, comments included, at most 130 columns
- a header of src/ says what it is, and has #pragma once
- a layer includes only the layers below it, a wing of a layer only the wings below it, and tunnel, quic and wire read no clock
- a unit test has the name and the folder of a file of src/, or its head says what it tests
- a limit that names a counter has a row in docs/SECURITY.md that names both
- nothing is left to do later, and no test sleeps
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

LICENCE = "SPDX-License-Identifier: MIT"
LINES_MAX = {"src": 500}
LINES_MAX_ELSEWHERE = 600
COLUMNS_MAX = 130

# What a layer of src/ may include, itself besides.
LAYERS = {
    "base": set(),
    "wire": {"base"},
    "quic": {"wire", "base"},
    "tunnel": {"quic", "wire", "base"},
    "net": {"base"},
    "app": {"tunnel", "quic", "wire", "net", "base"},
}
# What a folder of a layer may include of its own layer, itself besides; "" is the layer's own files.
WINGS = {
    "tunnel": {
        "": set(),
        "control": {""},
        "relay": {""},
        "udp": {""},
        "worker": {"", "relay", "udp"},
        "server": {"", "control", "relay", "udp", "worker"},
        "client": {"", "control", "relay", "udp", "worker"},
    },
    "app": {
        "": set(),
        "certs": {""},
        "config": {""},
        "demo": {"", "certs"},
        "run": {"", "config"},
        "cli": {"", "certs", "config", "demo", "run"},
    },
    "app/config": {
        "reading": set(),
        "": {"reading"},
    },
}
CLOCKLESS = {"wire", "quic", "tunnel"}

INCLUDE = re.compile(r'#include "([a-z_]+)/')
INCLUDED_FILE = re.compile(r'#include "([^"]+)"')
CLOCK = re.compile(r"\b(?:steady|system|high_resolution)_clock\b|\b(?:clock_gettime|gettimeofday)\(|\btime\(nullptr\)")
SECURITY = Path("docs/SECURITY.md")
LIMIT = re.compile(r"inline constexpr .*?\b(k[A-Za-z]+)(?: = |\{)")
COUNTED = re.compile(r"Counters?: ([a-z_]+(?:, [a-z_]+)*)")
SLEEP = re.compile(r"\bsleep_(?:for|until)\(|\busleep\(|\btime\.sleep\(")
# Spelt so that this file keeps its own rule.
LATER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")

Breach = tuple[int, str]


def sources() -> Iterator[Path]:
    yield from (Path("dev"), Path(".ci/run"))
    for top, suffixes in {"src": (".h", ".cpp"), "tests": (".h", ".cpp", ".py"), "scripts": (".sh", ".py")}.items():
        yield from sorted(path for path in Path(top).rglob("*") if path.suffix in suffixes)


def check_text(lines: list[str], lines_max: int) -> Iterator[Breach]:
    if not any(LICENCE in line for line in lines[:2]):
        yield 1, f"the first line is not '{LICENCE}'"
    if len(lines) > lines_max:
        yield len(lines), f"more than {lines_max} lines: split by idea"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"more than {COLUMNS_MAX} columns"
        if LATER.search(line):
            yield number, "do it now, or write an issue"


def check_header(lines: list[str]) -> Iterator[Breach]:
    if "#pragma once" not in lines:
        yield 1, "no #pragma once"
    if not any(re.match(r"///? \S", line) for line in lines[1:]):
        yield 1, "the header does not say what it is"


def check_layer(layer: str, lines: list[str]) -> Iterator[Breach]:
    for number, line in enumerate(lines, 1):
        included = INCLUDE.match(line)
        if included and included[1] in LAYERS and included[1] not in LAYERS[layer] | {layer}:
            yield number, f"{layer} may not include {included[1]}"
        if layer in CLOCKLESS and CLOCK.search(line.split("//")[0]):
            yield number, f"{layer} reads a clock: the time is passed in"


def wing_of(path: str, house: str) -> str:
    """The folder of `house` that the file lies in, "" for the house itself."""
    rest = path.removeprefix(house + "/")
    return rest.split("/")[0] if "/" in rest else ""


def check_wing(path: str, lines: list[str]) -> Iterator[Breach]:
    """`path` as an include names it."""
    for house, wings in WINGS.items():
        if not path.startswith(house + "/"):
            continue
        wing = wing_of(path, house)
        if wing not in wings:
            yield 1, f"{house} has no wing {wing}: name it in scripts/tidy.py, with the wings below it"
            continue
        for number, line in enumerate(lines, 1):
            included = INCLUDED_FILE.match(line)
            if not included or not included[1].startswith(house + "/"):
                continue
            target = wing_of(included[1], house)
            if target not in wings[wing] | {wing}:
                yield number, f"{house}/{wing} may not include {house}/{target}"


def check_test(lines: list[str]) -> Iterator[Breach]:
    for number, line in enumerate(lines, 1):
        if SLEEP.search(line):
            yield number, "a test waits for the event, with a deadline"


def check_mirror(path: Path, lines: list[str]) -> Iterator[Breach]:
    tested = Path("src", *path.parts[2:]).with_name(path.name.removesuffix("_test.cpp"))
    if any(tested.with_suffix(suffix).exists() for suffix in (".h", ".cpp")):
        return
    if not any(re.match(r"// \S", line) for line in lines[1:4]):
        yield 1, f"there is no {tested}.h or .cpp: name the test after what it tests, or say at its head what that is"


def check_limits(lines: list[str], security: list[str]) -> Iterator[Breach]:
    comment = ""
    for number, line in enumerate(lines, 1):
        if line.startswith("///"):
            comment += " " + line.removeprefix("///").strip()
            continue
        limit = LIMIT.match(line)
        counted = COUNTED.search(comment)
        comment = ""
        if not limit or not counted:
            continue
        rows = [row for row in security if f"`{limit[1]}`" in row]
        if not rows:
            yield number, f"docs/SECURITY.md has no row for {limit[1]}"
        for counter in re.findall(r"[a-z_]+", counted[1]):
            if rows and not any(f"`{counter}`" in row for row in rows):
                yield number, f"docs/SECURITY.md does not name {counter} in a row for {limit[1]}"


def check(path: Path) -> Iterator[Breach]:
    lines = path.read_text(encoding="utf-8").splitlines()
    yield from check_text(lines, LINES_MAX.get(path.parts[0], LINES_MAX_ELSEWHERE))
    if path.parts[0] == "src" and len(path.parts) > 2:
        yield from check_layer(path.parts[1], lines)
        yield from check_wing(path.relative_to("src").as_posix(), lines)
        if path.suffix == ".h":
            yield from check_header(lines)
        if path.name == "limits.h":
            yield from check_limits(lines, SECURITY.read_text(encoding="utf-8").splitlines())
    if path.parts[:2] == ("tests", "unit") and path.name.endswith("_test.cpp"):
        yield from check_mirror(path, lines)
    if path.name.endswith("_test.cpp") or path.name.startswith("test_"):
        yield from check_test(lines)


def main() -> int:
    breaches = [f"{path}:{number}: {text}" for path in sources() for number, text in check(path)]
    print("\n".join(breaches), end="\n" if breaches else "")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
