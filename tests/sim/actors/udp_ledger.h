// SPDX-License-Identifier: MIT
//
// Every payload that visitors by UDP and the local services have sent in a run, and whether it came: what both sides' actors
// share. Whatever may never happen is objected to when it does: a payload that nobody sent, a wrong byte, another's payload,
// the same one twice. What was lost, and whether it may be, is seen at the end (udp_audit.h).
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

/// What is on its way from a visitor to the local services, or from them to him.
struct UdpFlowRecord {
  struct Payload {
    std::uint32_t bytes = 0;
    bool like_fragment = false;
    bool unasked = false;  ///< not an answer at once: the session may have ended meanwhile
    bool delivered = false;
  };
  std::vector<Payload> numbered{};  ///< by number
  /// Those without a number, by size.
  std::array<std::uint32_t, UdpContent::kNumberedMinBytes> tiny_sent{};
  std::array<std::uint32_t, UdpContent::kNumberedMinBytes> tiny_delivered{};
  std::uint64_t sent_count = 0;
  std::uint64_t unasked_count = 0;  ///< of these
  std::uint64_t delivered_count = 0;
};

struct UdpVisitorRecord {
  std::uint16_t id = 0;  ///< his place in the ledger
  UdpScript script{};
  bool nothing_lost = false;  ///< by plan: nothing stands in his way, whatever the run is like elsewhere
  UdpFlowRecord up{};
  UdpFlowRecord down{};
  std::uint32_t sources_count = 0;  ///< sockets at which local services have seen him
  std::uint32_t pauses_count = 0;   ///< his own, long enough for a session to end
};

/// Who is at the other end of a local service's socket: a client's socket, which is one visitor's.
struct UdpSource {
  std::optional<std::uint16_t> visitor{};
  /// What came before he was known and does not name him, by size.
  std::array<std::uint32_t, UdpContent::kNamedMinBytes> nameless{};
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

  void object(std::string what);
  [[nodiscard]] const std::vector<std::string>& objections() const noexcept { return objections_; }
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
  /// nullptr: nobody, and objected to.
  UdpVisitorRecord* identify(UdpSource& source, ConstBytes payload);

  UdpContent content_;
  std::vector<std::string> objections_;
  std::array<std::uint32_t, UdpContent::kNamedMinBytes> nameless_{};
  std::array<std::uint64_t, 2> arrived_{};
};

}  // namespace qmux::sim
