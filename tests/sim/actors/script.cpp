// SPDX-License-Identifier: MIT
#include "sim/actors/script.h"

#include <algorithm>

namespace qmux::sim {
namespace {

using std::chrono::milliseconds;

/// Sizes of every magnitude alike, nothing included, some right at the edges of buffers.
std::uint64_t draw_size(SeededRandom& random, std::uint64_t bytes_max) {
  if (random.chance(0.1)) return 0;
  if (random.chance(0.1)) return 16'384 + random.between(0, 2) - 1;
  std::uint64_t magnitude = 16;
  while (magnitude < bytes_max && random.chance(0.8)) magnitude *= 4;
  return random.between(1, magnitude);
}

/// `bytes`: what it may have to send, at most.
void draw_pace(SeededRandom& random, std::uint64_t bytes, TalkScript& script) {
  if (random.chance(0.3)) script.think = random.between(Duration{}, Duration(milliseconds(500)));
  if (random.chance(0.25)) {
    script.write_bytes_max = random.between(1, 4096);
    script.write_pause = random.between(Duration{}, Duration(milliseconds(5)));
    // So that a slow side is done within minutes.
    if (bytes / script.write_bytes_max > 5000) script.write_bytes_max = 4096;
  }
  if (random.chance(0.25)) {
    script.read_bytes_max = random.between(kReadBytesMin, 8192);
    script.read_pause = random.between(Duration{}, kReadPauseTimeMax);
  }
  if (random.chance(0.15)) {
    script.stall_after_bytes = random.between(0, 100'000);
    script.stall = random.between(Duration(milliseconds(100)), kStallTimeMax);
  }
}

/// Much more than all buffers on the way hold, towards a side that does not read for a while.
void draw_greed(SeededRandom& random, TalkScript& from, TalkScript& to) {
  from.send_bytes = random.between(1'500'000, 4'000'000);
  to.stall_after_bytes = random.between(0, 10'000);
  to.stall = random.between(Duration(std::chrono::seconds(2)), kStallTimeMax);
}

/// Which side ends first, and which waits for the other. At most one of the two may wait for the other's FIN.
void draw_order(SeededRandom& random, TalkScript& visitor, TalkScript& service) {
  switch (random.between(0, 5)) {
    case 0:  // request and response: the answer only after the question is complete
      service.send_after_fin = true;
      break;
    case 1:
      service.echo = true;
      break;
    case 2:  // the service ends first, the visitor goes on and ends when it likes
      visitor.finish_after_fin = true;
      break;
    case 3:
      service.finish_after_fin = true;
      break;
    case 4:
      visitor.send_after_fin = true;
      break;
    default:  // each on its own
      break;
  }
}

}  // namespace

void draw_scripts(SeededRandom& random, const Temper& temper, TunnelRecord& tunnel) {
  TalkScript& visitor = tunnel.visitor_script;
  TalkScript& service = tunnel.service_script;
  tunnel.silent = random.chance(temper.silent_chance);
  if (!tunnel.silent) visitor.send_bytes = draw_size(random, temper.bytes_max);
  service.send_bytes = draw_size(random, temper.bytes_max);
  if (!tunnel.silent && random.chance(temper.greedy_chance)) {
    if (random.chance(0.5)) {
      draw_greed(random, visitor, service);
    } else {
      draw_greed(random, service, visitor);
    }
  }
  const std::uint64_t bytes = std::max(visitor.send_bytes, service.send_bytes);  // an echo sends the other's
  draw_pace(random, bytes, visitor);
  draw_pace(random, bytes, service);
  if (!tunnel.silent) draw_order(random, visitor, service);
  for (TalkScript* script : {&visitor, &service}) {
    if (random.chance(temper.reset_chance)) {
      script->reset_after_bytes = random.between(0, 2 * (visitor.send_bytes + service.send_bytes));
    }
  }
}

}  // namespace qmux::sim
