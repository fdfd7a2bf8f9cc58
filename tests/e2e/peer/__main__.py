# SPDX-License-Identifier: MIT
"""`python -m peer [--habits exact|go] run server|client -c FILE`: the same commands and files as qmux."""

import argparse
import asyncio
import contextlib
import logging
import signal

from .client import Client
from .config import load_client, load_server
from .habits import BY_NAME
from .server import Server


def main() -> None:
    parser = argparse.ArgumentParser(prog="peer")
    parser.add_argument("--habits", choices=BY_NAME, default="exact")
    parser.add_argument("verb", choices=["run"])
    parser.add_argument("role", choices=["server", "client"])
    parser.add_argument("-c", "--config", required=True)
    arguments = parser.parse_args()

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    habits = BY_NAME[arguments.habits]
    if arguments.role == "server":
        role = Server(load_server(arguments.config), habits)
    else:
        role = Client(load_client(arguments.config), habits)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(until_asked_to_end(role))


async def until_asked_to_end(role: Server | Client) -> None:
    """Cancelled by SIGTERM and SIGINT, so that connections are closed and peers notified."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asyncio.current_task().cancel)
    await role.run()


main()
