// SPDX-License-Identifier: MIT
//
// How UDP is carried: what a listener and a client are told alike. A plain value, complete and checked.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/time.h"
#include "tunnel/limits.h"
#include "wire/limits.h"

namespace qmux::tunnel {

struct UdpOptions {
  /// Off: a payload that does not fit one datagram is dropped.
  bool fragmentation = true;
  /// Largest payload taken from a visitor or a local service.
  std::size_t payload_bytes_max = limits::kUdpPayloadMaxBytes;
  /// Largest datagram sent, headers included; 0: what the path takes now.
  std::size_t datagram_bytes_max = 0;
  /// Sessions of one connection; one more ends the least recently used one.
  std::size_t sessions_max = limits::kUdpSessionsPerConnectionMax;
  /// A session without traffic either way for this long ends.
  Duration session_idle_timeout = std::chrono::minutes(5);
};

}  // namespace qmux::tunnel
