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

#include "base/address.h"
#include "base/bytes.h"
#include "base/time.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

/// Prints the digest of bytes. As an argument of an event it is computed only where the event is formatted.
struct DigestOf {
  ConstBytes bytes;
};

class Trace {
 public:
  using Sink = std::move_only_function<void(std::string_view line)>;

  /// Every later line is given to `sink`, without line end.
  void set_sink(Sink sink) { sink_ = std::move(sink); }

  /// On from the start. While it is off, events are neither counted nor hashed.
  void turn_off() noexcept { on_ = false; }

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

template <>
struct fmt::formatter<qmux::sim::DigestOf> {
  static constexpr auto parse(format_parse_context& context) { return context.begin(); }
  static auto format(const qmux::sim::DigestOf& digest, format_context& context) {
    return format_to(context.out(), "{:016x}", qmux::sim::digest(digest.bytes));
  }
};

/// As an argument of an event an address becomes text only where the event is formatted.
template <>
struct fmt::formatter<qmux::Address> {
  static constexpr auto parse(format_parse_context& context) { return context.begin(); }
  static auto format(const qmux::Address& address, format_context& context) {
    return format_to(context.out(), "{}", address.text());
  }
};
