// SPDX-License-Identifier: MIT
#include "sim/actors/udp_audit.h"

#include <fmt/format.h>

#include <string_view>

namespace qmux::sim {
namespace {

/// Numbers of what is missing, or sizes where there is no number.
std::vector<std::string> losses(const UdpVisitorRecord& visitor, std::string_view name, const UdpFlowRecord& flow) {
  std::vector<std::string> lines;
  for (std::size_t bytes = UdpContent::kNamedBytesMin; bytes < flow.tiny_sent.size(); ++bytes) {
    if (flow.tiny_delivered[bytes] >= flow.tiny_sent[bytes] || visitor.script.answer == UdpAnswer::chatty) continue;
    lines.push_back(
        fmt::format("visitor {} {}: payloads of {} bytes were lost on a clean path", visitor.id, name, bytes));
  }
  for (std::size_t number = 0; number < flow.numbered.size(); ++number) {
    const UdpFlowRecord::Payload& payload = flow.numbered[number];
    if (payload.delivered || payload.unasked) continue;
    lines.push_back(fmt::format("visitor {} {}: payload {} of {} bytes{} was lost on a clean path", visitor.id, name,
                                number, payload.bytes, payload.like_fragment ? " like a fragment" : ""));
  }
  return lines;
}

}  // namespace

std::vector<std::string> audit_udp(const UdpLedger& ledger, const std::function<bool(const UdpVisitorRecord&)>& clean) {
  std::vector<std::string> violations = ledger.violations();
  std::array<std::uint64_t, UdpContent::kNamedBytesMin> nameless_sent{};
  std::array<std::uint64_t, UdpContent::kNamedBytesMin> nameless_delivered{};
  for (const UdpVisitorRecord& visitor : ledger.visitors) {
    for (std::size_t bytes = 0; bytes < nameless_sent.size(); ++bytes) {
      nameless_sent[bytes] += visitor.up.tiny_sent[bytes];
      nameless_delivered[bytes] += visitor.up.tiny_delivered[bytes];
    }
    for (std::size_t bytes = 0; bytes < visitor.up.tiny_sent.size(); ++bytes) {
      if (visitor.up.tiny_delivered[bytes] <= visitor.up.tiny_sent[bytes]) continue;
      violations.push_back(fmt::format("visitor {} up: {} bytes came more often than sent", visitor.id, bytes));
    }
    if (!clean(visitor)) continue;
    for (std::string& line : losses(visitor, "up", visitor.up)) violations.push_back(std::move(line));
    if (!visitor.script.leaves) {
      for (std::string& line : losses(visitor, "down", visitor.down)) violations.push_back(std::move(line));
    }
    if (visitor.sources_count > visitor.pauses_count + 1) {
      violations.push_back(fmt::format("visitor {} has {} source addresses, with {} pauses", visitor.id,
                                       visitor.sources_count, visitor.pauses_count));
    }
  }
  for (std::size_t bytes = 0; bytes < nameless_sent.size(); ++bytes) {
    if (nameless_delivered[bytes] + ledger.nameless(bytes) <= nameless_sent[bytes]) continue;
    violations.push_back(fmt::format("payloads of {} bytes came more often than sent", bytes));
  }
  return violations;
}

}  // namespace qmux::sim
