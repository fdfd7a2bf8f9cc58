// SPDX-License-Identifier: MIT
//
// Durations as configuration files write them, in the syntax of Go's time.ParseDuration: a sign, then numbers with
// optional fractions, each with a unit: "300ms", "-1.5h", "1h15m30s". Units: ns, us (µs, μs), ms, s, m, h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace qmux::app {

/// Exact to the nanosecond; a finer fraction is cut off. Fails on a value beyond the range of a Duration (about 292 years) and on
/// a number without a unit, other than 0. The Error's `where` is empty.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

/// The shortest text that parse_duration() reads back as the same value: "1m30s", "5m", "1.5ms", "0s".
[[nodiscard]] std::string duration_text(Duration value);

}  // namespace qmux::app
