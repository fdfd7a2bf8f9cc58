// SPDX-License-Identifier: MIT
//
// Decides whether a visitor by TCP is admitted. Each holds a descriptor. A process has a limited number of them, and some must be
// left for others.
//
// - While less than three quarters of the process's limit are in use, every visitor is admitted.
// - Of the last quarter a listener gets no more than its equal share of all, and a source (an IPv4 address, or a /64 of IPv6) no
//   more than a sixteenth of all: one address that keeps connections open does not exclude others.
// - A listener that has its equal share or more already may have an eighth of such a share on top, of which a source gets no more
//   than a quarter. So the source that took the rest does not exclude others.
// - A listener's own limits, where they are set, always apply.
//
// Shared by the workers of a process: any thread, one short lock a call. Outlives its tickets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/address.h"
#include "tunnel/options.h"

namespace qmux::tunnel {

class VisitorAdmission {
 public:
  enum class Refusal : std::uint8_t {
    process_full,   ///< no visitor can be admitted
    listener_full,  ///< the listener has reached its limit, or its share while descriptors are scarce
    source_full,    ///< the same for the visitor's address
  };

  /// Counts one visitor until destroyed. Movable between threads.
  class Ticket {
   public:
    Ticket() noexcept = default;

   private:
    friend class VisitorAdmission;
    struct Leave {
      void operator()(VisitorAdmission* admission) const noexcept { admission->leave(*this); }
      std::size_t listener;
      Address source;
      bool over_share;  ///< descriptors were scarce, and the listener had its share
    };
    Ticket(VisitorAdmission& admission, const Leave& leave) noexcept : admission_(&admission, leave) {}

    std::unique_ptr<VisitorAdmission, Leave> admission_;
  };

  /// `visitors_max`: of the process; `seed`: random, because visitors may use any number of addresses.
  VisitorAdmission(std::size_t visitors_max, std::uint64_t seed) : seed_(seed), visitors_max_(visitors_max) {}
  VisitorAdmission(const VisitorAdmission&) = delete;
  VisitorAdmission& operator=(const VisitorAdmission&) = delete;

  /// Those admitted already stay, even where a new limit is lower.
  void set_visitors_max(std::size_t visitors_max);
  /// Adds the listener, changes its limits, or opens it again.
  void set_limits(std::size_t listener, const VisitorLimits& limits);
  /// It admits no more, and has no share of the descriptors. Its visitors stay.
  void close(std::size_t listener);

  /// The listener was added before.
  [[nodiscard]] std::expected<Ticket, Refusal> admit(std::size_t listener, const Address& remote);

  /// Visitors admitted at present; those of one listener.
  [[nodiscard]] std::size_t visitor_count() const;
  [[nodiscard]] std::size_t visitor_count(std::size_t listener) const;

 private:
  struct SourceHash {
    std::uint64_t seed;
    std::size_t operator()(const Address& source) const noexcept { return source.hash(seed); }
  };
  struct Listener {
    VisitorLimits limits{};
    bool open = false;
    std::size_t visitors = 0;
    std::size_t over_share = 0;  ///< of these, tickets of that kind
    std::unordered_map<Address, std::size_t, SourceHash> by_source;
  };

  void leave(const Ticket::Leave& ticket) noexcept;
  void forget_if_gone(std::size_t listener) noexcept;

  const std::uint64_t seed_;
  mutable std::mutex mutex_;
  std::size_t visitors_max_;
  std::unordered_map<std::size_t, Listener> listeners_;  ///< open, or with visitors
  std::size_t open_listeners_ = 0;
  std::size_t visitors_ = 0;
};

}  // namespace qmux::tunnel
