// SPDX-License-Identifier: MIT
//
// The options of a server and of a client, with the default of every key that they hold. The configuration (app/config) reads its
// keys into these. Values that the file cannot give are filled in before the start. Plain values, already checked.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "quic/credentials.h"
#include "quic/transport_config.h"
#include "tunnel/advice.h"
#include "tunnel/limits.h"
#include "wire/limits.h"

namespace qmux::tunnel {

/// A TCP peer is probed after this much silence, and again after each further such time without an answer.
inline constexpr Duration kTcpKeepAliveDefault = std::chrono::seconds(15);

enum class Balance : std::uint8_t { least_connections, round_robin };

struct HealthOptions {
  Duration heartbeat_interval = std::chrono::seconds(10);
  Duration timeout = std::chrono::seconds(30);  ///< a peer silent for that long is considered dead
  friend bool operator==(const HealthOptions&, const HealthOptions&) = default;
};

/// How long a program that is to stop lets its tunnels go on. Below the 30 s after which Kubernetes kills.
inline constexpr Duration kDrainTimeoutDefault = std::chrono::seconds(25);

enum class VisitorProtocol : std::uint8_t { tcp, udp, both };

/// Visitors of one listener by TCP; 0: no limit.
struct VisitorLimits {
  std::size_t visitors_max = 0;
  std::size_t visitors_per_source_max = 0;
};

/// How UDP is carried, on a listener and on a client alike.
struct UdpOptions {
  /// Off: a payload that does not fit one datagram is dropped.
  bool fragmentation = true;
  /// Largest payload taken from a visitor or a local service.
  std::size_t payload_bytes_max = limits::kUdpPayloadBytesMax;
  /// Largest datagram sent, headers included; 0: what the path takes now.
  std::size_t datagram_bytes_max = 0;
  /// Sessions of one connection; one more ends the least recently used one.
  std::size_t sessions_max = limits::kUdpSessionsPerConnectionMax;
  /// A session without traffic either way for this long ends.
  Duration session_idle_timeout = std::chrono::minutes(5);
};

/// When a visitor by TCP that was given to one client is given to another (docs/PROTOCOL.md section 6).
enum class Handover : std::uint8_t {
  off,    ///< never
  safe,   ///< while none of its bytes can have reached a local service
  eager,  ///< also when the client is lost or silent before the first byte of an answer: a request may be made twice
};

/// One QUIC address for clients, one address for visitors, and the pool between them.
struct ListenerOptions {
  Address quic_address;     ///< port 0: any free one
  Address traffic_address;  ///< likewise
  /// Let go when the sockets with that address have been closed; may be absent.
  std::shared_ptr<const void> quic_hold{};
  std::shared_ptr<const void> traffic_hold{};
  VisitorProtocol protocol = VisitorProtocol::tcp;
  UdpOptions udp_options{};
  quic::TransportConfig transport{};
  VisitorLimits visitors{};
  /// How long a visitor by TCP waits for a client while none is there.
  Duration wait_for_client = std::chrono::seconds(5);
  Handover handover = Handover::safe;

  [[nodiscard]] bool takes_tcp() const noexcept { return protocol != VisitorProtocol::udp; }
  [[nodiscard]] bool takes_udp() const noexcept { return protocol != VisitorProtocol::tcp; }
};

struct ServerOptions {
  std::vector<ListenerOptions> listeners;
  std::shared_ptr<const quic::Credentials> credentials{};
  const ServerAdvice* advice = nullptr;  ///< outlives the server; may be absent
  Balance balance = Balance::least_connections;
  HealthOptions health{};
  std::size_t visitors_max = std::numeric_limits<std::size_t>::max();  ///< by TCP; each takes a descriptor
  Duration tcp_keep_alive = kTcpKeepAliveDefault;  ///< of visitors' sockets (io::TcpSocket::keep_alive()); 0: none
  Duration drain_timeout = kDrainTimeoutDefault;   ///< 0: a stop ends everything at once
};

/// A server that a client serves.
struct ServerEntry {
  HostPort address;         ///< looked up again at every attempt
  std::string server_name;  ///< what its certificate must name
  /// A connection to every address of the name, as the name changes; false: to any one of them.
  bool all_addresses = false;
  friend bool operator==(const ServerEntry&, const ServerEntry&) = default;
};

/// The service that a client connects visitors to.
struct LocalServiceOptions {
  HostPort address{};  ///< looked up again when the last answer has expired (limits::kServiceLookUpAge)
};

struct ClientOptions {
  std::string client_id{};
  std::vector<ServerEntry> servers{};  ///< at least one, each once
  /// How often the names of servers with all_addresses are looked up.
  Duration resolve_interval = std::chrono::seconds(30);
  LocalServiceOptions local_service{};
  std::shared_ptr<const quic::Credentials> credentials{};
  const ClientAdvice* advice = nullptr;                             ///< outlives the client; may be absent
  quic::TransportConfig transport{.incoming_streams_max = 65'536};  ///< one a visitor by TCP
  UdpOptions udp_options{};
  HealthOptions health{};
  Duration tcp_keep_alive = kTcpKeepAliveDefault;        ///< of the local service's sockets; 0: none
  Duration drain_timeout = kDrainTimeoutDefault;         ///< likewise
  Duration backoff_time_max = std::chrono::seconds(30);  ///< longest wait between two attempts
};

}  // namespace qmux::tunnel
