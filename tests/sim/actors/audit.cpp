// SPDX-License-Identifier: MIT
#include "sim/actors/audit.h"

#include <fmt/format.h>

#include <string_view>

namespace qmux::sim {
namespace {

class Audit {
 public:
  Audit(const TunnelRecord& tunnel, bool excused, std::vector<std::string>& violations)
      : tunnel_(tunnel), excused_(excused), violations_(violations) {}

  void run() {
    if (!tunnel_.visitor.begun) return;
    require(tunnel_.visitor.over, "the visitor is stuck");
    require(tunnel_.arrivals_count <= 1, "the visitor reached local services more than once");
    if (tunnel_.silent) return check_silent();
    check_direction("up", tunnel_.visitor, tunnel_.service);
    check_direction("down", tunnel_.service, tunnel_.visitor);
    require(!tunnel_.service.begun || tunnel_.service.over, "the local service is stuck");
    if (!excused_) check_endings();
    if (!excused_ && tunnel_.service_script.close_after_sending && tunnel_.service.sent_reset) check_early_answer();
  }

 private:
  void require(bool holds, std::string_view what) {
    if (holds) return;
    violations_.push_back(fmt::format("tunnel {}: {} (visitor {}, service {})", tunnel_.id, what, text(tunnel_.visitor),
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

  /// Only for runs whose kernels drop nothing for a reset.
  void check_early_answer() {
    if (tunnel_.visitor.sent_reset) return;
    require(tunnel_.visitor.received_bytes == tunnel_.service.sent_bytes, "bytes of an early answer are missing");
    require(tunnel_.visitor.received_reset && !tunnel_.visitor.received_fin, "an early answer did not end in a reset");
  }

  void check_silent() {
    require(tunnel_.visitor.received_bytes == 0, "a visitor that sent nothing got an answer");
    if (!excused_ && !tunnel_.visitor.sent_reset)
      require(tunnel_.visitor.complete(), "a silent visitor did not end in order");
  }

  const TunnelRecord& tunnel_;
  const bool excused_;
  std::vector<std::string>& violations_;
};

}  // namespace

std::vector<std::string> audit(const Ledger& ledger, const Excuse& excused) {
  std::vector<std::string> violations;
  for (const TunnelRecord& tunnel : ledger.tunnels) Audit(tunnel, excused(tunnel), violations).run();
  if (ledger.impostors_count > 0) violations.emplace_back("a local service received an id that no visitor has");
  return violations;
}

}  // namespace qmux::sim
