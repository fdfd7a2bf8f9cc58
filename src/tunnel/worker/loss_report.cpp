// SPDX-License-Identifier: MIT
#include "tunnel/worker/loss_report.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/log.h"
#include "tunnel/limits.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {
namespace {

std::string_view name_of(UdpDrop why) noexcept {
  switch (why) {
    case UdpDrop::no_client:
      return "udp_no_client";
    case UdpDrop::too_many_sessions:
      return "udp_too_many_sessions";
    case UdpDrop::mailbox_full:
      return "udp_mailbox_full";
    case UdpDrop::session_gone:
      return "udp_session_gone";
    case UdpDrop::too_large:
      return "udp_too_large";
    case UdpDrop::queue_full:
      return "udp_queue_full";
    case UdpDrop::stale:
      return "udp_stale";
    case UdpDrop::no_fragment_id:
      return "udp_no_fragment_id";
    case UdpDrop::no_datagrams:
      return "udp_no_datagrams";
    case UdpDrop::malformed:
      return "udp_malformed";
    case UdpDrop::unknown_session:
      return "udp_unknown_session";
    case UdpDrop::no_socket:
      return "udp_no_socket";
    case UdpDrop::socket_refused:
      return "udp_socket_refused";
  }
  return "udp_other";
}

std::uint64_t in_all(const Losses& losses) noexcept {
  return std::accumulate(losses.begin(), losses.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Loss& loss) { return sum + loss.count; });
}

}  // namespace

Losses losses_of(const WorkerState& worker) noexcept {
  const Counters& counters = worker.counters;
  const wire::ReassemblyCounters& parts = worker.udp.reassembly.counters();
  Losses losses{{
      {"visitors_no_client", counters.visitors_refused_no_client},
      {"visitors_too_many_waiting", counters.visitors_refused_waiting_full},
      {"visitors_process_full", counters.visitors_process_full},
      {"visitors_listener_full", counters.visitors_listener_full},
      {"visitors_source_full", counters.visitors_source_full},
      {"handshakes_waiting_full", counters.handshakes_waiting_full},
      {"handshakes_waited_too_long", counters.handshakes_waited_too_long},
      {"handshakes_evicted", counters.handshakes_evicted},
      {"tokens_refused", counters.tokens_refused},
      {"resets_withheld", counters.resets_withheld},
      {"closing_forgotten", counters.closing_forgotten},
      {"tunnels_stuck", worker.memory.evictions()},
      {"tunnels_cut", counters.tunnels_cut},
      {"mailbox_full", counters.mailbox_full},
      {"strays_full", counters.strays_full},
      {"udp_sessions_evicted", counters.udp.sessions_evicted},
      {"udp_overflowed", counters.udp.payloads_overflowed},
      {"udp_service_unreachable", counters.udp.service_unreachable},
      {"udp_incomplete_expired", parts.expired},
      {"udp_incomplete_evicted", parts.evicted_connection_limit + parts.evicted_budget},
      {"udp_incomplete_conflicting", parts.conflicting},
      {"udp_incomplete_overtaken", parts.overtaken},
      {"udp_incomplete_oversize", parts.oversize},
      {"udp_incomplete_session_gone", parts.forgotten},
  }};
  for (std::size_t why = 0; why < kUdpDrops; ++why) {
    losses[kFirstUdpDrop + why] = {name_of(static_cast<UdpDrop>(why)), counters.udp.dropped[why]};
  }
  return losses;
}

LossReport::LossReport(TimerQueue& timers, const WorkerState& worker)
    : worker_(worker), due_(timers, [this] { tell(); }) {}

LossReport::~LossReport() { tell(); }

void LossReport::look(Time now) {
  if (due_.is_set() || now < next_look_) return;
  next_look_ = now + limits::kLossLookInterval;
  if (in_all(losses_of(worker_)) == told_in_all_) return;
  // What comes together is told together.
  const Time at = std::max(next_, now + limits::kLossReportDelay);
  next_ = at + limits::kLossReportPeriod;
  due_.set(at);
}

void LossReport::tell() {
  const Losses losses = losses_of(worker_);
  std::vector<log::Field> fields;
  for (std::size_t i = 0; i < kLosses; ++i) {
    if (losses[i].count != told_[i]) fields.emplace_back(losses[i].name, losses[i].count - told_[i]);
    told_[i] = losses[i].count;
  }
  told_in_all_ = in_all(losses);
  if (!fields.empty()) log::write(log::Level::warn, "turned away or dropped", fields);
}

}  // namespace qmux::tunnel
