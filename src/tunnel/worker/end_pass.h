// SPDX-License-Identifier: MIT
//
// The end of a worker's pass: delivers QUIC's events, then sends, in turn. It repeats this until neither leaves anything to do,
// or until it is the sockets' turn again.
#pragma once

#include <ranges>

#include "quic/endpoint.h"
#include "tunnel/limits.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

/// `endpoints` is a range of references or pointers' targets. Callbacks must not change it.
template <std::ranges::input_range Endpoints>
void end_pass(WorkerState& worker, Endpoints&& endpoints, Time now) {
  // Sending frees room in streams, which lets their owners read more: so the rounds are bounded, and one busy connection cannot
  // starve the loop's sockets and timers.
  constexpr int kRounds = 4;
  bool more = true;
  worker.udp.unread.resume();
  for (int round = 0; more && round < kRounds; ++round) {
    bool reported = false;
    bool unsent = false;
    for (quic::Endpoint& endpoint : endpoints) reported |= endpoint.deliver_events();
    reported |= worker.memory.make_room();
    for (quic::Endpoint& endpoint : endpoints) unsent |= endpoint.flush(now);
    more = reported || unsent;
  }
  worker.udp.send_batch.flush();
  if (more) worker.loop.request_pass();
  worker.retired.clear();
  worker.losses.look(now);
  if (worker.chunks.free_count() > 0 && !worker.chunk_surplus.is_set()) {
    worker.chunk_surplus.set(now + limits::kChunkSurplusPeriod);
  }
}

}  // namespace qmux::tunnel
