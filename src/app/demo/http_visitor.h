// SPDX-License-Identifier: MIT
//
// The demo's visitor: asks the demo's HTTP service for bytes, directly or through a tunnel, and checks what comes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/address.h"
#include "base/result.h"

namespace qmux::app {

struct Fetch {
  std::uint64_t bytes = 0;
  std::chrono::duration<double> seconds{};
  std::string sha256;  ///< hexadecimal, of what came
};

/// GET /bytes/N on a connection of its own.
[[nodiscard]] Result<Fetch> fetch(const Address& service, std::uint64_t bytes);

/// Median time of `count` requests for 64 bytes, one after another on one connection.
[[nodiscard]] Result<std::chrono::duration<double>> median_round_trip(const Address& service, std::size_t count);

/// SHA-256 of what GET /bytes/N should give.
[[nodiscard]] std::string expected_sha256(std::uint64_t bytes);

}  // namespace qmux::app
