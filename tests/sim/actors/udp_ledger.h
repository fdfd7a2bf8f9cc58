// SPDX-License-Identifier: MIT
//
// Every payload that visitors by UDP and the local services have sent in a run, and whether it arrived: what both sides' actors
// share. What may never happen is reported when it does: a payload that was never sent, a wrong byte, a payload of another
// visitor, a payload that arrives twice. What was lost, and whether it may be, is checked at the end (udp_audit.h).
//
// One thread. Records keep their addresses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "sim/actors/udp_content.h"
#include "sim/actors/udp_script.h"

namespace qmux::sim {

/// What a visitor sends to the local services, or they to it.
struct UdpFlowRecord {
  struct Payload {
    std::uint32_t bytes = 0;
    bool like_fragment = false;
    bool unasked = false;  ///< not an answer at once: the session may have ended meanwhile
    bool delivered = false;
  };
  std::vector<Payload> numbered{};  ///< by number
  /// Those without a number, by size.
  std::array<std::uint32_t, UdpContent::kNumberedBytesMin> tiny_sent{};
  std::array<std::uint32_t, UdpContent::kNumberedBytesMin> tiny_delivered{};
  std::uint64_t sent_count = 0;
  std::uint64_t unasked_count = 0;  ///< of these
  std::uint64_t delivered_count = 0;
};

struct UdpVisitorRecord {
  std::uint16_t id = 0;  ///< its index in the ledger
  UdpScript script{};
  bool nothing_lost = false;  ///< by plan: its path is clean, whatever the run is like elsewhere
  UdpFlowRecord up{};
  UdpFlowRecord down{};
  std::uint32_t sources_count = 0;  ///< source addresses that local services have seen of it
  std::uint32_t pauses_count = 0;   ///< of its own, long enough for a session to end
};

/// What is at the other end of a local service's socket: a client's socket, which is one visitor's.
struct UdpSource {
  std::optional<std::uint16_t> visitor{};
  /// What arrived before the visitor was known and does not name it, by size.
  std::array<std::uint32_t, UdpContent::kNamedBytesMin> nameless{};
};

class UdpLedger {
 public:
  explicit UdpLedger(std::uint64_t seed = 0) : content_(seed) {}

  std::deque<UdpVisitorRecord> visitors{};

  /// What the next payload is, and that it was sent.
  [[nodiscard]] std::vector<std::byte> next(Direction direction, const UdpVisitorRecord& visitor, std::size_t bytes,
                                            bool like_fragment) const;
  void sent(Direction direction, UdpVisitorRecord& visitor, const UdpFlowRecord::Payload& payload);

  void came_to_visitor(UdpVisitorRecord& visitor, ConstBytes payload);
  void came_to_service(UdpSource& source, ConstBytes payload);

  void report(std::string what);
  [[nodiscard]] const std::vector<std::string>& violations() const noexcept { return violations_; }
  /// Without a visitor as yet, by size.
  [[nodiscard]] std::uint32_t nameless(std::size_t bytes) const noexcept { return nameless_[bytes]; }
  [[nodiscard]] std::uint64_t sent_count(Direction direction) const;
  [[nodiscard]] std::uint64_t unasked_count() const;
  /// To sockets of visitors or services, the nameless included.
  [[nodiscard]] std::uint64_t arrived_count(Direction direction) const noexcept {
    return arrived_[static_cast<std::size_t>(direction)];
  }

 private:
  void came(Direction direction, UdpVisitorRecord& visitor, ConstBytes payload);
  /// nullptr: no visitor, and reported.
  UdpVisitorRecord* identify(UdpSource& source, ConstBytes payload);

  UdpContent content_;
  std::vector<std::string> violations_;
  std::array<std::uint32_t, UdpContent::kNamedBytesMin> nameless_{};
  std::array<std::uint64_t, 2> arrived_{};
};

}  // namespace qmux::sim
