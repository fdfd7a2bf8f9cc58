// SPDX-License-Identifier: MIT
//
// How many connections of a process have not proven themselves, and how fast new ones come: what all endpoints of all workers
// know together, so that a flood spread over them meets one bound.
//
// One a process; outlives them. Any thread; a few too many may slip in when several workers ask at once.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "quic/limits.h"

namespace qmux::quic {

/// What is known of a client that begins a handshake.
enum class Standing : std::uint8_t {
  unknown,  ///< at best that it receives at its address
  known,    ///< a token of ours (NEW_TOKEN, RFC 9000 section 8.1.3), which only clients with a certificate get
};
inline constexpr std::size_t kStandings = 2;

class HandshakeLoad {
 public:
  void begun(Standing standing, Time now) noexcept {
    count(standing).fetch_add(1, std::memory_order_relaxed);
    Duration::rep due = due_.load(std::memory_order_relaxed);
    while (!due_.compare_exchange_weak(due, std::max(due, now.time_since_epoch().count()) + kSpacing,
                                       std::memory_order_relaxed)) {
    }
  }
  void ended(Standing standing) noexcept { count(standing).fetch_sub(1, std::memory_order_relaxed); }
  /// The client has registered: as if there had been no handshake.
  void proven(Standing standing) noexcept {
    ended(standing);
    due_.fetch_sub(kSpacing, std::memory_order_relaxed);
  }

  [[nodiscard]] std::size_t unproven() const noexcept {
    return unproven(Standing::known) + unproven(Standing::unknown);
  }
  [[nodiscard]] std::size_t unproven(Standing standing) const noexcept {
    return counts_[static_cast<std::size_t>(standing)].load(std::memory_order_relaxed);
  }
  /// How many more of that kind there may be.
  [[nodiscard]] std::size_t room(Standing standing) const noexcept {
    const auto left = [](std::size_t max, std::size_t used) { return max - std::min(max, used); };
    return std::min(left(limits::kUnprovenConnectionsOfKindMax, unproven(standing)),
                    left(limits::kUnprovenConnectionsMax, unproven()));
  }
  /// Whether a client must first prove its address, because of their number.
  [[nodiscard]] bool retry_wanted(Time now) const noexcept {
    constexpr auto kBefore = static_cast<Duration::rep>(limits::kHandshakesBeforeRetry);
    return unproven() >= limits::kHandshakesBeforeRetry ||
           due_.load(std::memory_order_relaxed) - now.time_since_epoch().count() > (kBefore - 1) * kSpacing;
  }

 private:
  /// Between handshakes that come as fast as they may without Retry.
  static constexpr Duration::rep kSpacing =
      Duration(std::chrono::seconds(1)).count() / static_cast<Duration::rep>(limits::kHandshakesBeforeRetry);

  std::atomic<std::size_t>& count(Standing standing) noexcept { return counts_[static_cast<std::size_t>(standing)]; }

  std::array<std::atomic<std::size_t>, kStandings> counts_{};
  std::atomic<Duration::rep> due_{0};  ///< when the next handshake would come, if they came at that rate
};

}  // namespace qmux::quic
