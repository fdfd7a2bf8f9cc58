// SPDX-License-Identifier: MIT
//
// Ties the process's own sources of chance and time to a World. GnuTLS draws randomness and time from the C library;
// system_pins.cpp defines getrandom, getentropy, clock_gettime and time in the simulator's binary, in front of the C
// library's, so that keys, signatures (whose length varies) and tickets are the same for the same seed.
//
// Without a world the randomness is a fixed stream and the clocks stand still at World::kEpochUnixSeconds: GnuTLS seeds its
// generator from both before main() begins, and mixes what it had into every later seed. Linked into the binary that
// simulates, and nowhere else. One thread.
#pragma once

#include "sim/world/world.h"

namespace qmux::sim {

class SystemPins {
 public:
  explicit SystemPins(World& world);
  SystemPins(const SystemPins&) = delete;
  SystemPins& operator=(const SystemPins&) = delete;
  ~SystemPins();
};

}  // namespace qmux::sim
