// SPDX-License-Identifier: MIT
//
// What happened in a run, line by line, folded into one 64-bit hash: two runs with equal hashes went the same way, packet
// for packet. The lines themselves go to a sink, where there is one. Making the lines takes a good part of a run's time: a run
// whose trace is neither printed nor compared turns it off.
//
// One thread.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/time.h"

namespace qmux::sim {

class Trace {
 public:
  using Sink = std::move_only_function<void(std::string_view line)>;

  /// Every later line is given to `sink`, without line end.
  void set_sink(Sink sink) { sink_ = std::move(sink); }

  /// On from the start. While it is off, events are neither counted nor hashed.
  void turn_off() noexcept { on_ = false; }
  [[nodiscard]] bool on() const noexcept { return on_; }

  template <typename... Args>
  void event(Time at, fmt::format_string<Args...> format, Args&&... args) {
    if (!on_) return;
    line_.clear();
    fmt::format_to(std::back_inserter(line_), "{:>15} ", at.time_since_epoch().count());
    fmt::format_to(std::back_inserter(line_), format, std::forward<Args>(args)...);
    absorb();
  }

  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  [[nodiscard]] std::uint64_t event_count() const noexcept { return event_count_; }

 private:
  void absorb();

  fmt::memory_buffer line_;
  Sink sink_;
  bool on_ = true;
  std::uint64_t hash_ = 0;
  std::uint64_t event_count_ = 0;
};

}  // namespace qmux::sim
