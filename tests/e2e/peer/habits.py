# SPDX-License-Identifier: MIT
"""In what QMux programs differ on the wire: the protocol as written, or as the Go programs live it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Habits:
    """What a program does. Tests ask it to know what a tunnel between two programs can carry."""

    name: str
    alpn: tuple[str, ...]
    """Protocols offered by a client or accepted by a server; empty: no ALPN extension at all."""

    incoming_streams_max: int
    """Streams that a client admits at once; more credit comes only when one has closed."""

    half_close: bool
    """Each direction ends alone. Otherwise the first end of either direction ends both."""

    resets: bool
    """TCP RST and RESET_STREAM are mapped to each other. Otherwise everything ends with FIN."""

    conn_close_trailer: bool
    """A client writes a framed ConnClose onto the tunnel stream before its FIN."""

    replaces_same_client: bool
    """A server admits a second registration of one ClientID. Otherwise it refuses until the first has timed out."""

    serves_after_reconnect: bool
    """A client that had to connect again accepts streams on the new connection."""

    datagram_bytes_max: int
    """UDP payloads are cut to QUIC datagrams of at most this."""

    escapes: bool
    """A payload that looks like a part is sent as one, and what only looks like one is read as it is. Otherwise whatever
    has its bit is taken for a part, and groups of parts are known by their id alone."""


EXACT = Habits(
    name="exact",
    alpn=("qmux/1",),
    incoming_streams_max=65536,
    half_close=True,
    resets=True,
    conn_close_trailer=False,
    replaces_same_client=True,
    serves_after_reconnect=True,
    datagram_bytes_max=1400,
    escapes=True,
)

GO = Habits(
    name="go",
    alpn=(),
    incoming_streams_max=100,
    half_close=False,
    resets=False,
    conn_close_trailer=True,
    replaces_same_client=False,
    serves_after_reconnect=False,
    datagram_bytes_max=1200,
    escapes=False,
)

BY_NAME = {habits.name: habits for habits in (EXACT, GO)}
