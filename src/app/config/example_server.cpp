// SPDX-License-Identifier: MIT
#include "app/config/example.h"

namespace qmux::app {

namespace {

constexpr std::string_view kExample = R"yaml(# A QMux server. docs/CONFIGURATION.md explains every key.
# Keys that are commented out show their defaults. "Not yet" marks those that are read and have no effect in this version.
# Check this file without starting anything: qmux config check server -c FILE

# Each listener has its own QUIC address, traffic address and pool of clients.
listeners:
  - # UDP: where clients connect.
    quic_addr: "0.0.0.0:8443"

    # Where visitors connect. Use "[::]:8080" for IPv6 and IPv4 together.
    traffic_addr: "0.0.0.0:8080"

    # What visitors may use: tcp, udp or both.
    protocol: "both"

    # Connections of visitors by TCP at a time, in all and from one address; 0 is as many as the process has descriptors for.
    # max_visitors: 0
    # max_visitors_per_source: 0

    # How long a visitor by TCP waits while no client is there, and when it is given to another client because its own cannot
    # serve it: safe (no byte of it has reached a local service), eager (a request may be made twice) or off.
    # wait_for_client: 5s
    # handover: safe

    # Flow control, in bytes: where a window starts and how far it may grow.
    # initialstreamreceivewindow: 524288
    # maxstreamreceivewindow: 6291456
    # initialconnectionreceivewindow: 1048576
    # maxconnectionreceivewindow: 15728640

    # Streams that a client may have open towards this server; it needs one.
    # maxincomingstreams: 100

    # Send something when nothing else was sent for so long; 0 is never.
    # keepaliveperiod: 0

    # Give up a handshake, or a connection, on which nothing comes for so long.
    # handshakeidletimeout: 5s
    # maxidletimeout: 5m

    # Not yet: accept data in the first flight of a resumed connection. It can be replayed.
    # allow0rtt: false

    # bbr keeps its speed on lossy paths; cubic backs off at every loss.
    # congestion_control: bbr

    # Largest packet to send, where the path takes it, in bytes.
    # max_udp_payload_size: 65507

    # For visitors who use UDP.
    # udp:
    #   # Send a payload that is too large for one datagram in pieces; otherwise it is dropped.
    #   enable_fragmentation: true
    #   # Largest payload of a visitor, in bytes.
    #   read_buffer_size: 65535
    #   # Largest datagram to send, in bytes; 0 is what the path takes.
    #   datagram_buffer_size: 0
    #   # A visitor without traffic either way for this long is forgotten.
    #   session_idle_timeout: 5m

# Who may connect as a client.
auth:
  # mtls: every client with a certificate of this authority.
  # Not yet: token, for every client that knows the token; qmux run refuses it in this version.
  method: "mtls"
  ca_cert_file: "./certs/ca.crt"
  # Not yet: at least 16 bytes.
  # token: ""

# What the server proves itself with.
tls:
  server_cert_file: "./certs/server.crt"
  server_key_file: "./certs/server.key"

  # What stateless resets and address tokens follow from; made at the first start. Without it they follow from the key, and change
  # with it. Servers that share the key behind one address each need a file of their own.
  # quic_secret_file: "./quic.secret"

  # Not yet: change the key of session tickets this often; 24h is good, 0 is never.
  # session_ticket_encryption_key_rotation_interval: 0
  # Not yet: number of these keys that are kept, the current one included.
  # session_ticket_encryption_key_rotation_overlap: 2

# Which client of the pool gets the next visitor: least-connections or round-robin.
load_balancer: "least-connections"

# How often to send a heartbeat to a client, and after how long without one from it the client is considered dead.
heartbeat_interval: 10s
health_timeout: 30s

# Ask a visitor's TCP connection that is silent for this long whether it is still there. Ten times that without an
# answer ends it; 0 is never.
# tcp_keepalive: 15s

# How long visitors may go on after SIGTERM or SIGINT, which end the server when the last one has gone. A second signal, or
# 0, ends it at once.
# drain_timeout: 25s

# Read this file, certificates and keys again as soon as they have changed, as SIGHUP does at any time.
# watch_files: false

# Event loops, one thread each; 0 is one per core.
# workers: 0

# debug, info, warn or error; text or json.
# log:
#   level: info
#   format: text
)yaml";

}  // namespace

std::string_view example_server_config() noexcept { return kExample; }

}  // namespace qmux::app
