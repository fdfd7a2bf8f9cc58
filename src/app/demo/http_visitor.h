// SPDX-License-Identifier: MIT
//
// The demo's visitor: asks the demo's HTTP service for bytes, directly or through a tunnel, and takes the time.
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
/// What has come is given to `arrived` between two requests, and the time that this takes is not counted.
[[nodiscard]] Result<Seconds> fetch(const Address& service, std::uint64_t bytes, const DemoClock& clock,
                                    const std::function<void(std::span<const std::byte>)>& arrived);

/// Median time of `count` requests for 64 bytes, one after another on one connection.
[[nodiscard]] Result<Seconds> median_round_trip(const Address& service, std::size_t count, const DemoClock& clock);

/// SHA-256 of what fetching so many bytes should give.
[[nodiscard]] std::string expected_sha256(std::uint64_t bytes);

}  // namespace qmux::app
