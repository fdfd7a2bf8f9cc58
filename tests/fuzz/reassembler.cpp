// SPDX-License-Identifier: MIT
//
// Two connections that share a budget and do what the input says. What is delivered is the fragments that came last
// under its id, in order, all of them in time and of one total; memory stays within its limits and adds up; nothing is overdue.
#include "wire/reassembler.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "fuzz_input.h"
#include "wire/limits.h"

namespace {

using namespace qmux;

/// What came under one session and id since it last had another total or was delivered.
struct Seen {
  struct Fragment {
    std::vector<std::byte> bytes;
    Time came;
  };
  std::uint8_t total = 0;
  std::map<std::uint8_t, Fragment> fragments;
};

class Connection {
 public:
  Connection(bool frag_seq, wire::ReassemblyBudget& budget) : reassembler_(frag_seq, budget) {}

  void add(const wire::Datagram& fragment, Time now) {
    const auto [id, index, total] = *fragment.fragment;
    const wire::ReassemblyCounters before = reassembler_.counters();
    const auto assembled = reassembler_.add(fragment, now);
    if (total == 1) {
      CHECK(assembled && assembled->payload.data() == fragment.payload.data());
      CHECK(reassembler_.counters() == before);
      return;
    }
    const std::pair key(fragment.session, id);
    Seen& seen = seen_[key];
    if (seen.total != total) seen = {.total = total, .fragments = {}};
    auto& [bytes, came] = seen.fragments[index];
    // A fragment that comes twice neither adds nor takes time.
    const bool is_duplicate = reassembler_.counters().duplicates > before.duplicates;
    if (is_duplicate) CHECK(std::ranges::equal(bytes, fragment.payload));
    if (!is_duplicate) {
      bytes.assign(fragment.payload.begin(), fragment.payload.end());
      came = now;
    }
    if (assembled) {
      check_delivered(*assembled, fragment.session, seen, now);
      seen_.erase(key);
    }
  }

  void expire(Time now) {
    reassembler_.expire(now);
    CHECK(reassembler_.deadline() > now);
  }

  void forget_session(std::uint32_t session) {
    reassembler_.forget_session(session);
    std::erase_if(seen_, [&](const auto& entry) { return entry.first.first == session; });
  }

  void check(const wire::ReassemblyBudget& budget, Time now) const {
    CHECK(reassembler_.held_bytes() <= budget.connection_bytes_max());
    CHECK(reassembler_.held_bytes() >= reassembler_.group_count() * wire::kReassemblyGroupBytes);
    CHECK((reassembler_.group_count() == 0) == (reassembler_.held_bytes() == 0));
    CHECK((reassembler_.group_count() == 0) == (reassembler_.deadline() == kNever));
    CHECK(reassembler_.group_count() == 0 || reassembler_.deadline() <= now + limits::kReassemblyTimeMax);
  }

  [[nodiscard]] const wire::Reassembler& reassembler() const { return reassembler_; }

 private:
  static void check_delivered(const wire::Assembled& assembled, std::uint32_t session, const Seen& seen, Time now) {
    CHECK(assembled.session == session);
    CHECK(assembled.payload.size() <= limits::kUdpPayloadBytesMax);
    CHECK(seen.fragments.size() == seen.total);
    ConstBytes rest = assembled.payload;
    for (const auto& [index, fragment] : seen.fragments) {
      CHECK(fragment.came > now - limits::kReassemblyTimeMax);
      CHECK(fragment.bytes.size() <= rest.size());
      CHECK(std::ranges::equal(fragment.bytes, rest.first(fragment.bytes.size())));
      rest = rest.subspan(fragment.bytes.size());
    }
    CHECK(rest.empty());
  }

  wire::Reassembler reassembler_;
  std::map<std::pair<std::uint32_t, std::uint16_t>, Seen> seen_;
};

/// A fragment as a peer could have sent it: few sessions and totals, so that they meet, ids in reach of each other and not.
wire::Fragment any_fragment(fuzz::FuzzInput& input) {
  const std::uint8_t where = input.byte();
  const auto id = static_cast<std::uint16_t>((where >> 4U) * 4096U + (where & 15U));
  const std::uint8_t shape = input.byte();
  const auto total = static_cast<std::uint8_t>(shape == 0xff ? 255 : 1 + (shape >> 5U));
  return {.id = id, .index = static_cast<std::uint8_t>((shape & 31U) % total), .total = total};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::size_t, 4> sizes = {3, 1200, 9000, 40'000};
  fuzz::FuzzInput input(data, size);
  const std::uint8_t setting = input.byte();
  wire::ReassemblyBudget budget(std::size_t{setting} * 1024, std::size_t{64} * 1024);
  {
    std::array<Connection, 2> connections = {Connection{false, budget}, Connection{true, budget}};
    std::vector<std::byte> bytes;
    Time now{};
    while (!input.empty()) {
      const std::uint8_t step = input.byte();
      Connection& connection = connections[step & 1U];
      switch ((step >> 1U) & 7U) {
        case 0:
          now += std::chrono::milliseconds(20) * input.byte();
          break;
        case 1:
          connection.expire(now);
          break;
        case 2:
          connection.forget_session(std::uint32_t{step} >> 6U);
          break;
        default: {
          const wire::Fragment fragment = any_fragment(input);
          const std::uint8_t content = input.byte();
          bytes.assign(sizes[(step >> 4U) & 3U] + (content & 3U), std::byte{content});
          connection.add({.session = std::uint32_t{step} >> 6U, .fragment = fragment, .payload = bytes}, now);
        }
      }
      std::size_t held_bytes = 0;
      for (const Connection& each : connections) {
        each.check(budget, now);
        held_bytes += each.reassembler().held_bytes();
      }
      CHECK(held_bytes == budget.held_bytes() && held_bytes <= budget.bytes_max());
    }
  }
  CHECK(budget.held_bytes() == 0);
  return 0;
}
