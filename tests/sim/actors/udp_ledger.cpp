// SPDX-License-Identifier: MIT
#include "sim/actors/udp_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace qmux::sim {
namespace {

/// More lines would add nothing: the run has failed.
constexpr std::size_t kViolationsMax = 20;

UdpFlowRecord& flow_of(UdpVisitorRecord& visitor, Direction direction) {
  return direction == Direction::up ? visitor.up : visitor.down;
}
const UdpFlowRecord& flow_of(const UdpVisitorRecord& visitor, Direction direction) {
  return direction == Direction::up ? visitor.up : visitor.down;
}

std::string_view name_of(Direction direction) { return direction == Direction::up ? "up" : "down"; }

}  // namespace

std::vector<std::byte> UdpLedger::next(Direction direction, const UdpVisitorRecord& visitor, std::size_t bytes,
                                       bool like_fragment) const {
  const std::size_t number = flow_of(visitor, direction).numbered.size();
  return content_.make(direction, visitor.id, static_cast<std::uint32_t>(number), bytes, like_fragment);
}

void UdpLedger::sent(Direction direction, UdpVisitorRecord& visitor, const UdpFlowRecord::Payload& payload) {
  UdpFlowRecord& flow = flow_of(visitor, direction);
  ++flow.sent_count;
  if (payload.unasked) ++flow.unasked_count;
  if (payload.bytes < UdpContent::kNumberedBytesMin) {
    ++flow.tiny_sent[payload.bytes];
  } else {
    flow.numbered.push_back(payload);
  }
}

void UdpLedger::came_to_visitor(UdpVisitorRecord& visitor, ConstBytes payload) {
  ++arrived_[static_cast<std::size_t>(Direction::down)];
  if (payload.size() >= UdpContent::kNamedBytesMin && UdpContent::visitor(payload) != visitor.id) {
    report(fmt::format("visitor {} received {} bytes of another visitor", visitor.id, payload.size()));
    return;
  }
  came(Direction::down, visitor, payload);
}

void UdpLedger::came_to_service(UdpSource& source, ConstBytes payload) {
  ++arrived_[static_cast<std::size_t>(Direction::up)];
  if (payload.size() < UdpContent::kNamedBytesMin && !source.visitor) {
    ++source.nameless[payload.size()];
    ++nameless_[payload.size()];
    return;
  }
  if (UdpVisitorRecord* const visitor = identify(source, payload)) came(Direction::up, *visitor, payload);
}

UdpVisitorRecord* UdpLedger::identify(UdpSource& source, ConstBytes payload) {
  if (payload.size() < UdpContent::kNamedBytesMin) return &visitors[*source.visitor];
  const std::uint16_t id = UdpContent::visitor(payload);
  if (id >= visitors.size()) {
    report(fmt::format("a local service received {} bytes that name no visitor", payload.size()));
    return nullptr;
  }
  UdpVisitorRecord& visitor = visitors[id];
  if (!source.visitor) {
    source.visitor = id;
    ++visitor.sources_count;
    for (std::size_t bytes = 0; bytes < source.nameless.size(); ++bytes) {
      const std::uint32_t count = std::exchange(source.nameless[bytes], 0);
      visitor.up.tiny_delivered[bytes] += count;
      visitor.up.delivered_count += count;
      nameless_[bytes] -= count;
    }
  } else if (*source.visitor != id) {
    report(fmt::format("visitors {} and {} came from the same socket", *source.visitor, id));
    return nullptr;
  }
  return &visitor;
}

void UdpLedger::came(Direction direction, UdpVisitorRecord& visitor, ConstBytes payload) {
  UdpFlowRecord& flow = flow_of(visitor, direction);
  const auto report_bytes = [&](std::string_view what) {
    report(fmt::format("visitor {} {}: {} bytes {}", visitor.id, name_of(direction), payload.size(), what));
  };
  bool like_fragment = false;
  std::uint32_t number = 0;
  if (payload.size() < UdpContent::kNumberedBytesMin) {
    if (++flow.tiny_delivered[payload.size()] > flow.tiny_sent[payload.size()])
      report_bytes("came more often than sent");
  } else {
    number = UdpContent::number(payload);
    if (number >= flow.numbered.size()) return report_bytes("that were never sent");
    UdpFlowRecord::Payload& sent = flow.numbered[number];
    if (std::exchange(sent.delivered, true)) report_bytes("came twice");
    if (sent.bytes != payload.size()) return report_bytes(fmt::format("of {} that were sent", sent.bytes));
    like_fragment = sent.like_fragment;
  }
  ++flow.delivered_count;
  if (!std::ranges::equal(payload, content_.make(direction, visitor.id, number, payload.size(), like_fragment))) {
    report_bytes("are not what was sent");
  }
}

void UdpLedger::report(std::string what) {
  if (violations_.size() < kViolationsMax) violations_.push_back(std::move(what));
}

std::uint64_t UdpLedger::sent_count(Direction direction) const {
  std::uint64_t sum = 0;
  for (const UdpVisitorRecord& visitor : visitors) sum += flow_of(visitor, direction).sent_count;
  return sum;
}

std::uint64_t UdpLedger::unasked_count() const {
  std::uint64_t sum = 0;
  for (const UdpVisitorRecord& visitor : visitors) sum += visitor.down.unasked_count;
  return sum;
}

}  // namespace qmux::sim
