// SPDX-License-Identifier: MIT
//
// Data shared by all sessions and tunnels of one worker. Owned by the worker; one thread; outlives them all.
#pragma once

#include "base/chunk.h"
#include "base/io/event_loop.h"
#include "base/log_occasionally.h"
#include "tunnel/relay/memory_budget.h"
#include "tunnel/udp/udp_context.h"
#include "tunnel/worker/counters.h"
#include "tunnel/worker/loss_report.h"
#include "tunnel/worker/retired.h"

namespace qmux::tunnel {

struct WorkerState {
  /// `workers`: of the process, which share its limits; `stuck_tunnels`: their common limit for stuck tunnels; `keep_alive`: of
  /// tunnels' sockets (io::TcpSocket::keep_alive()), 0 for none.
  WorkerState(io::EventLoop& its_loop, std::size_t workers, MemoryLimit& stuck_tunnels, Duration keep_alive)
      : loop(its_loop),
        tcp_keep_alive(keep_alive),
        memory(stuck_tunnels, counters.tunnels_stuck),
        udp(its_loop, chunks, counters.udp, counters.reassembly, workers),
        complaints(its_loop.timers()),
        losses(its_loop.timers(), counters),
        chunk_surplus(its_loop.timers(), [this] { chunks.give_up_surplus(); }) {}

  io::EventLoop& loop;
  Duration tcp_keep_alive;  ///< of sockets from now on
  ChunkPool chunks;
  Counters counters;
  MemoryBudget memory;
  UdpContext udp;
  /// Log lines about peers, each kind at its own limited rate, so that one kind does not suppress another.
  struct Complaints {
    explicit Complaints(TimerQueue& timers)
        : refused(timers),
          disconnected(timers),
          not_registered(timers),
          reported(timers),
          malformed(timers),
          unreachable(timers),
          service_reached(timers),
          service_not_reached(timers),
          silent(timers),
          udp_unreachable(timers) {}
    log::Occasionally refused;
    log::Occasionally disconnected;
    log::Occasionally not_registered;
    log::Occasionally reported;
    log::Occasionally malformed;
    log::Occasionally unreachable;
    log::Occasionally service_reached;
    log::Occasionally service_not_reached;
    log::Occasionally silent;
    log::Occasionally udp_unreachable;
  } complaints;
  Retired retired;
  LossReport losses;
  Timer chunk_surplus;  ///< set while free chunks are there: see ChunkPool::give_up_surplus()
};

}  // namespace qmux::tunnel
