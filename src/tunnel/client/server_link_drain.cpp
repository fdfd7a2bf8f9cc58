// SPDX-License-Identifier: MIT
//
// The end of a link.
#include <algorithm>

#include "tunnel/client/server_link.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

void ServerLink::drain(Duration timeout, const std::string& reason) {
  drain_end_ = std::min(drain_end_, worker_.loop.now() + timeout);
  if (phase_ == Phase::serving) {
    phase_ = Phase::draining;
    end_reason_ = reason;
    next_step_.cancel();
    slow_.cancel();
    resolution_.reset();
    race_.end();
    for (const LinkSessions::Entry& each : sessions_.entries()) {
      each.session->drain(reason);
      // One that is not registered yet must not become so.
      if (!each.session->is_registered()) each.endpoint->close_all(quic::ErrorCode::shutdown, reason);
    }
  }
  if (phase_ == Phase::draining) look_for_end();
}

void ServerLink::look_for_end() {
  const Time now = worker_.loop.now();
  const auto is_drained = [](const LinkSessions::Entry& each) { return each.session->is_drained(); };
  if (now < drain_end_ && !std::ranges::all_of(sessions_.entries(), is_drained)) {
    end_step_.set(std::min(now + limits::kDrainLookInterval, drain_end_));
    return;
  }
  bool returned = false;
  for (const LinkSessions::Entry& each : sessions_.entries()) returned |= each.session->return_visitors();
  if (!returned) return close();
  phase_ = Phase::flushing;
  end_step_.set(now + limits::kDrainFlushTime);
}

void ServerLink::close() {
  phase_ = Phase::closing;
  // A server that we are not registered with is notified once, in this pass: it keeps no state of ours.
  close_awaited_ = std::ranges::any_of(sessions_.entries(),
                                       [](const LinkSessions::Entry& each) { return each.session->is_registered(); });
  sessions_.close_all(end_reason_);
  end_step_.set(worker_.loop.now() + limits::kStopTimeMax);
}

void ServerLink::next_step_of_end() {
  switch (phase_) {
    case Phase::draining:
      return look_for_end();
    case Phase::flushing:
      return close();
    default:
      phase_ = Phase::stopped;
  }
}

bool ServerLink::stopped() const noexcept {
  return phase_ == Phase::stopped || (phase_ == Phase::closing && (endpoints().empty() || !close_awaited_));
}

}  // namespace qmux::tunnel
