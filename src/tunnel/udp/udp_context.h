// SPDX-License-Identifier: MIT
//
// Data shared by all UDP sessions of one worker. Owned by the worker; one thread; outlives them all.
#pragma once

#include <cstddef>

#include "base/chunk.h"
#include "base/io/event_loop.h"
#include "tunnel/limits.h"
#include "tunnel/udp/payload_budget.h"
#include "tunnel/udp/udp_counters.h"
#include "tunnel/udp/udp_send_batch.h"
#include "tunnel/udp/unread.h"
#include "wire/limits.h"
#include "wire/reassembler.h"

namespace qmux::tunnel {

struct UdpContext {
  /// `workers`: of the process, which share its limits. The loop, the pool and the counters outlive the context.
  UdpContext(io::EventLoop& its_loop, ChunkPool& pool, UdpCounters& its_counters,
             wire::ReassemblyCounters& reassembly_counters, std::size_t workers)
      : loop(its_loop),
        chunks(pool),
        counters(its_counters),
        waiting(limits::kUdpWaitingBytesMax / workers),
        reassembly(limits::kReassemblyBytesMax / workers, limits::kReassemblyConnectionBytesMax, &reassembly_counters),
        send_batch(its_counters),
        unread(its_loop) {}

  io::EventLoop& loop;
  ChunkPool& chunks;
  UdpCounters& counters;
  PayloadBudget waiting;              ///< payloads that wait to be sent
  wire::ReassemblyBudget reassembly;  ///< fragments of payloads that wait for the rest
  UdpSendBatch send_batch;
  Unread unread;
};

}  // namespace qmux::tunnel
