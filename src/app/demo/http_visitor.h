// SPDX-License-Identifier: MIT
//
// The demo's visitor: requests bytes from the demo's HTTP service, directly or through a tunnel, and measures the time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/address.h"
#include "base/result.h"

namespace qmux::app {

using Seconds = std::chrono::duration<double>;
/// Time since any fixed moment.
using DemoClock = std::function<Seconds()>;

/// Fetches `bytes` on a connection of its own, in requests of at most 32 MiB. Returns how long connecting and the requests took.
/// The received bytes are given to `arrived` between two requests. The time of that call is not counted.
[[nodiscard]] Result<Seconds> fetch(const Address& service, std::uint64_t bytes, const DemoClock& clock,
                                    const std::function<void(std::span<const std::byte>)>& arrived);

/// Median time of `count` requests for 64 bytes, one after another on one connection.
[[nodiscard]] Result<Seconds> median_round_trip(const Address& service, std::size_t count, const DemoClock& clock);

/// SHA-256 of the bytes that fetching `bytes` should give.
[[nodiscard]] std::string expected_sha256(std::uint64_t bytes);

}  // namespace qmux::app
