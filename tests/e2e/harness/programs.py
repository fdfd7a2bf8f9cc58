# SPDX-License-Identifier: MIT
"""The programs that can play a server or a client, how each is started and what it is known to do."""

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from peer.habits import EXACT, GO, Habits

CHECKOUT = Path(__file__).resolve().parents[3]
# Absolute, since tests run them in other directories.
BINARY = Path(os.environ.get("QMUX_BINARY", CHECKOUT / "build/release/qmux")).absolute()
REFERENCE = os.path.abspath(os.environ["QMUX_REFERENCE"]) if os.environ.get("QMUX_REFERENCE") else None


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
    habits=GO,
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
PEER_GO = _peer(GO)


def _is_peer(program: Program) -> bool:
    return program in (PEER_EXACT, PEER_GO)


BY_NAME = {program.name: program for program in (OURS, REFERENCE_PROGRAM, PEER_EXACT, PEER_GO)}


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
    def delivers_before_reset_of_service(self) -> bool:
        """Our client holds the reset back, and a program that drops on a reset what it has not passed on is given FIN instead."""
        return self.client is OURS and self.server is not PEER_EXACT

    @property
    def delivers_before_reset_of_visitor(self) -> bool:
        return self.server is OURS and self.client is not PEER_EXACT

    @property
    def own_server(self) -> bool:
        return self.server is OURS

    @property
    def hands_over_failed_dials(self) -> bool:
        """The client tells the server when it could not dial, and the server believes it."""
        return self.own_server and (self.client is OURS or self.client.habits.conn_close_trailer)

    @property
    def keeps_trailer_from_visitor(self) -> bool:
        """The client appends none to the visitor's bytes, or the server removes it: only ours does."""
        return self.own_server or not self.client.habits.conn_close_trailer

    @property
    def answers_after_visitors_end(self) -> bool:
        """No side ends both directions at the visitor's end, or the server holds that end back for the client."""
        return self.own_server or self.half_close

    @property
    def server_escapes(self) -> bool:
        return self.server.habits.escapes

    @property
    def client_escapes(self) -> bool:
        return self.client.habits.escapes

    @property
    def one_side_escapes(self) -> bool:
        return self.server_escapes or self.client_escapes

    @property
    def serves_after_reconnect(self) -> bool:
        return self.client.habits.serves_after_reconnect

    @property
    def replaces_dead_client(self) -> bool:
        """Otherwise the server refuses a ClientID until its first connection has timed out."""
        return self.server.habits.replaces_same_client

    @property
    def shares_one_id(self) -> bool:
        """Two clients may have one ClientID."""
        return self.server.habits.replaces_same_client and self.client.habits.replaces_same_client

    @property
    def client_dials_ipv6(self) -> bool:
        """The Go client cannot dial an IPv6 literal."""
        return self.client is not REFERENCE_PROGRAM

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
                return "QMUX_REFERENCE names no binary of Go QMux"
            if not program.present():
                return f"{program.name}: no program at {program.command[0]}"
        return None


OWN = Pair(OURS, OURS)
INTEROP = tuple(
    Pair(*programs)
    for other in (PEER_EXACT, PEER_GO, *([REFERENCE_PROGRAM] if REFERENCE else []))
    for programs in ((OURS, other), (other, OURS))
)


def pair_named(name: str) -> Pair:
    server, client = name.split(":")
    return Pair(BY_NAME[server], BY_NAME[client])
