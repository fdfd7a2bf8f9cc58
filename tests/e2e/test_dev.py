# SPDX-License-Identifier: MIT
"""./dev answers what is wrong with a command line, and --help, before it installs or builds anything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.programs import BINARY, CHECKOUT

COMMANDS = ["demo", "test", "build", "sim", "fuzz", "bench", "format", "lint", "setup"]

# What installing, configuring and building begin with.
TOOLS = ["apt-get", "apt-cache", "dpkg", "dpkg-query", "sudo", "cmake", "ctest", "ninja", "python3", "pip",
         "clang-format-19", "shellcheck"]

WRONG = [
    ("typo",),
    ("demo", "--typo"), ("demo", "--keep", "now"),
    ("build", "--preset", "typo"), ("build", "--preset"), ("build", "typo"),
    ("test", "--only", "typo"), ("test", "--only=typo"), ("test", "--only", "unit", "--only"), ("test", "typo"),
    ("test", "--preset", "typo"), ("test", "--seeds", "9..1"), ("test", "--seeds", "many"), ("test", "--seeds", "1.."),
    ("sim",), ("sim", "--seeds", "1"), ("sim", "--seed", "x"), ("sim", "--seed", "1", "--jobs", "0"), ("sim", "--typo"),
    ("fuzz", "typo"), ("fuzz", "--seconds", "0"), ("fuzz", "--seconds", "soon"), ("fuzz", "--typo"),
    ("bench", "typo"), ("bench", "--typo"), ("bench", "--only", "typo"),
    ("bench", "--peer", "typo"), ("bench", "--peer", "x=/nowhere"),
    ("format", "typo"), ("format", "--check", "typo"), ("lint", "typo"), ("setup", "typo"), ("help", "typo"),
]


@pytest.fixture
def dev(tmp_path: Path):
    """Runs ./dev with arguments, and fails when it runs any of TOOLS."""
    used = tmp_path / "used"
    for tool in TOOLS:
        stub = tmp_path / tool
        stub.write_text(f"#!/bin/sh\necho {tool} >>'{used}'\nexit 1\n")
        stub.chmod(0o755)

    def run(*arguments: str) -> subprocess.CompletedProcess:
        result = subprocess.run([CHECKOUT / "dev", *arguments], capture_output=True, text=True, timeout=30,
                                stdin=subprocess.DEVNULL, env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
        assert not used.exists(), f"it ran {used.read_text().split()}"
        return result

    return run


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_what_is_wrong_with_a_command_line_is_said_at_once(dev, arguments: tuple[str, ...]):
    result = dev(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(r"dev: .+ \(see \./dev help\)\n", result.stderr)


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",), ("-h",)], ids=" ".join)
def test_help_names_every_command(dev, arguments: tuple[str, ...]):
    result = dev(*arguments)
    assert result.returncode == 0
    assert set(re.findall(r"^  ([a-z]+)", result.stdout, re.M)) == {*COMMANDS, "help"}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", ["{} --help", "{} -h", "{} --typo --help", "help {}"])
def test_help_for_one_command(dev, command: str, form: str):
    result = dev(*form.format(command).split())
    assert result.returncode == 0
    assert result.stdout.startswith(f"usage: ./dev {command}")
    assert result.stdout.count("usage:") == 1


def options_in(text: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]*", text)) - {"--help"}


@pytest.mark.parametrize(("command", "program"), [
    ("demo", [BINARY, "demo"]),
    ("sim", [BINARY.parent / "tests/sim/qmux_sim"]),
    ("bench", [sys.executable, CHECKOUT / "tests/bench/bench.py"]),
])
def test_knows_the_options_of_the_program_that_a_command_runs(dev, command: str, program: list):
    if not Path(program[0]).exists():
        pytest.skip(f"not built: {program[0]}")
    reported = subprocess.run([*program, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    usage = reported[re.search(r"^(Options|options):", reported, re.M).start():]
    assert options_in(dev(command, "--help").stdout) == options_in(usage)
    for option in re.findall(r"(--[a-z-]+) [A-Z{]", usage):
        assert "needs a value" in dev(command, option).stderr
