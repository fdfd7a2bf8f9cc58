# SPDX-License-Identifier: MIT
"""The part of QMux's configuration files that the peer understands."""

import re
from dataclasses import dataclass

import yaml

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str | int) -> float:
    """A Go duration such as `1m30s`."""
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h)", str(duration)))


def split_address(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


@dataclass(frozen=True)
class Tls:
    ca: str
    certificate: str
    key: str


@dataclass(frozen=True)
class Heartbeat:
    interval: float
    timeout: float


@dataclass(frozen=True)
class ServerConfig:
    quic: tuple[str, int]
    traffic: tuple[str, int]
    protocol: str
    tls: Tls
    heartbeat: Heartbeat


@dataclass(frozen=True)
class ClientConfig:
    client_id: str
    server: tuple[str, int]
    server_name: str
    local: tuple[str, int]
    tls: Tls
    heartbeat: Heartbeat


def _heartbeat(document: dict) -> Heartbeat:
    return Heartbeat(
        seconds(document.get("heartbeat_interval", "10s")),
        seconds(document.get("health_timeout", "30s")),
    )


def load_server(path: str) -> ServerConfig:
    with open(path, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    listener = document["listeners"][0]
    tls = document["tls"]
    return ServerConfig(
        quic=split_address(listener["quic_addr"]),
        traffic=split_address(listener["traffic_addr"]),
        protocol=listener["protocol"],
        tls=Tls(document["auth"]["ca_cert_file"], tls["server_cert_file"], tls["server_key_file"]),
        heartbeat=_heartbeat(document),
    )


def load_client(path: str) -> ClientConfig:
    with open(path, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    entry = document["server"]["servers"][0]
    address = split_address(entry["address"])
    tls = document["tls"]
    return ClientConfig(
        client_id=document["client_id"],
        server=address,
        server_name=entry.get("server_name", address[0]),
        local=(document["local"]["host"], document["local"]["port"]),
        tls=Tls(tls["ca_cert_file"], tls["client_cert_file"], tls["client_key_file"]),
        heartbeat=_heartbeat(document),
    )
