// SPDX-License-Identifier: MIT
#include "app/config/example.h"

namespace qmux::app {

namespace {

constexpr std::string_view kExample = R"yaml(# A QMux client. docs/CONFIGURATION.md explains every key.
# Keys that are commented out show their defaults. "Not yet" marks those that are read and have no effect in this version.
# Check this file without starting anything: qmux config check client -c FILE

# What this client is called. Empty: a random UUID at every start, which suits several copies of one file.
client_id: ""

# The servers to connect to, 1 to 10, each on its own.
server:
  servers:
    - # host:port; the name is resolved again at every attempt.
      address: "localhost:8443"

      # The name that the server's certificate must be valid for. Default: the host of the address.
      server_name: "qmux-server"

      # Connect to every address of the name, and follow the name as it changes; otherwise to any one of them.
      # all_addresses: false

  # How often names with all_addresses are resolved.
  # resolve_interval: 30s

# The service that visitors reach.
local:
  host: "127.0.0.1"
  port: 3000

# What proves the server to this client, and this client to the server.
tls:
  ca_cert_file: "./certs/ca.crt"
  client_cert_file: "./certs/client.crt"
  client_key_file: "./certs/client.key"

# How this client proves itself.
# auth:
#   # mtls: by its certificate. Not yet: token, which qmux run refuses in this version.
#   method: mtls
#   # Not yet: the server's token, with which the certificate and key of the client are not needed.
#   token: ""

quic:
  # Flow control, in bytes: where a window starts and how far it may grow.
  # initialstreamreceivewindow: 524288
  # maxstreamreceivewindow: 6291456
  # initialconnectionreceivewindow: 1048576
  # maxconnectionreceivewindow: 15728640

  # Visitors at one time, from one server.
  # maxincomingstreams: 65536

  # Send something after so long without a packet; 0 is 1.5 s, and 1 s while there are visitors.
  # keepaliveperiod: 0

  # Give up a handshake, or a connection, on which nothing comes for so long.
  # handshakeidletimeout: 5s
  # maxidletimeout: 5m

  # Not yet: send data in the first flight of a resumed connection. It can be replayed.
  # allow0rtt: false

  # bbr keeps its speed on lossy paths; cubic backs off at every loss.
  # congestion_control: bbr

  # Largest packet to send, where the path takes it, in bytes.
  # max_udp_payload_size: 65507

# For visitors who use UDP.
udp:
  # Send a payload that is too large for one datagram in pieces; otherwise it is dropped.
  # enable_fragmentation: true
  # Largest payload of the local service, in bytes.
  # read_buffer_size: 65535
  # Largest datagram to send, in bytes; 0 is what the path takes.
  # datagram_buffer_size: 0
  # A visitor without traffic either way for this long is forgotten.
  # session_idle_timeout: 5m

# How often to send a heartbeat to the server, and after how long without one from it the server is considered dead.
heartbeat_interval: 10s
health_timeout: 30s

# Retries after a failure: at once, then with growing delays, up to this between two attempts.
# reconnect:
#   max_backoff: 30s

# Ask a TCP connection to the local service that is silent for this long whether it is still there. Ten times that
# without an answer ends it; 0 is never.
# tcp_keepalive: 15s

# How long visitors may go on after SIGTERM or SIGINT, which end the client when the last one has gone. A second signal, or
# 0, ends it at once.
# drain_timeout: 25s

# Read this file, certificates and keys again as soon as they have changed, as SIGHUP does at any time.
# watch_files: false

# Event loops, one thread each.
# workers: 1

# debug, info, warn or error; text or json.
# log:
#   level: info
#   format: text
)yaml";

}  // namespace

std::string_view example_client_config() noexcept { return kExample; }

}  // namespace qmux::app
