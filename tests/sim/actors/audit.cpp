// SPDX-License-Identifier: MIT
#include "sim/actors/audit.h"

#include <fmt/format.h>

#include <string_view>

namespace qmux::sim {
namespace {

class Audit {
 public:
  /// `lost`: gets those violations that a tunnel which the programs have cut may have.
  Audit(const TunnelRecord& tunnel, bool excused, std::vector<std::string>& violations, std::vector<std::string>& lost)
      : tunnel_(tunnel), excused_(excused), violations_(violations), lost_(lost) {}

  void run() {
    if (!tunnel_.visitor.begun) return;
    require(tunnel_.visitor.over, "the visitor is stuck");
    require(tunnel_.arrivals_count <= 1, "the visitor reached local services more than once");
    if (tunnel_.silent) return check_silent();
    check_direction("up", tunnel_.visitor, tunnel_.service);
    check_direction("down", tunnel_.service, tunnel_.visitor);
    require(!tunnel_.service.begun || tunnel_.service.over, "the local service is stuck");
    if (excused_) return;
    check_endings();
    check_before_reset("up", tunnel_.visitor, tunnel_.visitor_script, tunnel_.service, tunnel_.service_script);
    check_before_reset("down", tunnel_.service, tunnel_.service_script, tunnel_.visitor, tunnel_.visitor_script);
  }

 private:
  void require(bool holds, std::string_view what) {
    if (!holds) report(violations_, what);
  }

  void report(std::vector<std::string>& violations, std::string_view what) {
    violations.push_back(fmt::format("tunnel {}: {} (visitor {}, service {})", tunnel_.id, what, text(tunnel_.visitor),
                                     text(tunnel_.service)));
  }

  static std::string text(const TalkRecord& side) {
    if (!side.begun) return "never came";
    return fmt::format("sent {}{}{} received {}{}{}{}", side.sent_bytes, side.sent_fin ? " FIN" : "",
                       side.sent_reset ? " RST" : "", side.received_bytes, side.received_fin ? " FIN" : "",
                       side.received_reset ? " RST" : "", side.over ? "" : " not over");
  }

  void check_direction(std::string_view name, const TalkRecord& from, const TalkRecord& to) {
    if (to.wrong_at) require(false, fmt::format("{}: wrong bytes after {}", name, *to.wrong_at));
    require(to.received_bytes <= from.sent_bytes, fmt::format("{}: more received than sent", name));
    if (!to.received_fin) return;
    require(from.sent_fin, fmt::format("{}: a FIN that was never sent", name));
    require(to.received_bytes == from.sent_bytes, fmt::format("{}: FIN, but bytes are missing", name));
  }

  void check_endings() {
    const TalkRecord& visitor = tunnel_.visitor;
    const TalkRecord& service = tunnel_.service;
    require(!visitor.connect_error, "could not connect: " + visitor.connect_error.value_or(""));
    require(!visitor.received_reset || service.sent_reset, "the visitor was reset without cause");
    require(!service.received_reset || visitor.sent_reset, "the local service was reset without cause");
    const bool reset = visitor.sent_reset || service.sent_reset;
    require(reset || (visitor.complete() && service.complete()), "ended incomplete without a reset");
  }

  /// Of a receiver that reads to the end and does not itself reset.
  void check_before_reset(std::string_view name, const TalkRecord& from, const TalkScript& from_script,
                          const TalkRecord& to, const TalkScript& to_script) {
    if (!from.sent_reset || to.sent_reset || !to_script.read_after_reset) return;
    if (to.received_bytes < from.acknowledged_bytes) {
      report(lost_, fmt::format("{}: {} bytes were acknowledged before the reset, and not all arrived", name,
                                from.acknowledged_bytes));
    }
    if (!from_script.close_after_sending || !to.begun) return;
    require(to.received_reset && !to.received_fin, fmt::format("{}: what was sent did not end in a reset", name));
  }

  void check_silent() {
    require(tunnel_.visitor.received_bytes == 0, "a visitor that sent nothing got an answer");
    if (!excused_ && !tunnel_.visitor.sent_reset)
      require(tunnel_.visitor.complete(), "a silent visitor did not end in order");
  }

  const TunnelRecord& tunnel_;
  const bool excused_;
  std::vector<std::string>& violations_;
  std::vector<std::string>& lost_;
};

}  // namespace

std::vector<std::string> audit(const Ledger& ledger, const Excuse& excused, std::uint64_t cut_count) {
  std::vector<std::string> violations;
  std::vector<std::string> lost;
  for (const TunnelRecord& tunnel : ledger.tunnels) Audit(tunnel, excused(tunnel), violations, lost).run();
  if (lost.size() > cut_count) violations.insert(violations.end(), lost.begin(), lost.end());
  if (ledger.impostors_count > 0) violations.emplace_back("a local service received an id that no visitor has");
  return violations;
}

}  // namespace qmux::sim
