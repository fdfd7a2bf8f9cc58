# SPDX-License-Identifier: MIT
"""The programs that can play a server or a client, how each is started and what it is known to do."""

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from peer.habits import EXACT, EXISTING, Habits

CHECKOUT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("QMUX_BINARY", CHECKOUT / "build/release/qmux"))
REFERENCE = os.environ.get("QMUX_REFERENCE")


@dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str, ...]
    habits: Habits
    server_ready: str
    """What its log says once it serves visitors and clients."""
    client_ready: str
    """What its log says once it is registered and accepts tunnels."""

    def run(self, role: str, config: Path) -> list[str]:
        return [*self.command, "run", role, "-c", str(config)]

    def present(self) -> bool:
        return bool(self.command) and Path(self.command[0]).is_file()


OURS = Program(
    name="qmux",
    command=(str(BINARY),),
    habits=EXACT,
    server_ready=r"listener ready",
    client_ready=r"server connected",
)

REFERENCE_PROGRAM = Program(
    name="reference",
    command=(REFERENCE,) if REFERENCE else (),
    habits=EXISTING,
    server_ready=r"QUIC listener started",
    client_ready=r"client started successfully",
)


def _peer(habits: Habits) -> Program:
    return Program(
        name=f"aioquic-{habits.name}",
        command=(sys.executable, "-m", "peer", "--habits", habits.name),
        habits=habits,
        server_ready=r"listener ready",
        client_ready=r"registered",
    )


PEER_EXACT = _peer(EXACT)
PEER_EXISTING = _peer(EXISTING)


def _is_peer(program: Program) -> bool:
    return program in (PEER_EXACT, PEER_EXISTING)


BY_NAME = {program.name: program for program in (OURS, REFERENCE_PROGRAM, PEER_EXACT, PEER_EXISTING)}


@dataclass(frozen=True)
class Pair:
    """Who serves and who is its client."""

    server: Program
    client: Program

    @property
    def name(self) -> str:
        return f"{self.server.name}:{self.client.name}"

    @property
    def half_close(self) -> bool:
        return self.server.habits.half_close and self.client.habits.half_close

    @property
    def resets(self) -> bool:
        return self.server.habits.resets and self.client.habits.resets

    @property
    def trailer_reaches_visitor(self) -> bool:
        """Nobody removes what the client appends to a visitor's bytes: only our server does."""
        return self.client.habits.conn_close_trailer and self.server is not OURS

    @property
    def visitors_end_costs_answer(self) -> bool:
        """One side ends both directions at the visitor's end, and no server holds that end back for the client."""
        return not self.half_close and self.server is not OURS

    @property
    def fast(self) -> bool:
        return not any(map(_is_peer, (self.server, self.client)))

    @property
    def optional(self) -> bool:
        """Not every machine has these programs: without them a test is skipped, not failed."""
        return REFERENCE_PROGRAM in (self.server, self.client) or not self.fast

    def missing(self) -> str | None:
        """Why this pair cannot be had here."""
        for program in (self.server, self.client):
            if _is_peer(program) and importlib.util.find_spec("aioquic") is None:
                return "aioquic is not installed"
            if program is REFERENCE_PROGRAM and not program.command:
                return "QMUX_REFERENCE names no existing QMux binary"
            if not program.present():
                return f"{program.name}: no program at {program.command[0]}"
        return None


OWN = Pair(OURS, OURS)
INTEROP = tuple(
    Pair(*programs)
    for other in (PEER_EXACT, PEER_EXISTING, *([REFERENCE_PROGRAM] if REFERENCE else []))
    for programs in ((OURS, other), (other, OURS))
)


def pair_named(name: str) -> Pair:
    server, client = name.split(":")
    return Pair(BY_NAME[server], BY_NAME[client])
