// SPDX-License-Identifier: MIT
//
// What all sessions and tunnels of one worker share. Owned by the worker; one thread; outlives them all.
#pragma once

#include "base/chunk.h"
#include "base/io/event_loop.h"
#include "base/limits.h"
#include "base/log.h"
#include "tunnel/counters.h"
#include "tunnel/memory_budget.h"
#include "tunnel/retired.h"

namespace qmux::tunnel {

struct WorkerState {
  explicit WorkerState(io::EventLoop& its_loop) : loop(its_loop) {}

  io::EventLoop& loop;
  ChunkPool chunks;
  MemoryBudget memory{limits::kStuckTunnelsMaxBytes};
  Counters counters;
  log::Occasionally complaints;  ///< about peers
  Retired retired;
};

}  // namespace qmux::tunnel
