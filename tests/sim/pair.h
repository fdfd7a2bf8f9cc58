// SPDX-License-Identifier: MIT
//
// The smallest world worth testing in: two hosts with one loop each, and a link in each direction. For unit tests of what
// runs over io::EventLoop.
#pragma once

#include <cstdint>
#include <functional>

#include "sim/world/host.h"
#include "sim/world/link.h"
#include "sim/world/loop.h"
#include "sim/world/network.h"
#include "sim/world/world.h"

namespace qmux::sim {

struct Pair {
  explicit Pair(std::uint64_t seed = 1, const LinkProperties& properties = {})
      : world(seed),
        a_host(world.network().add_host("a")),
        b_host(world.network().add_host("b")),
        a(a_host, "a"),
        b(b_host, "b") {
    a_to_b.properties() = properties;
    b_to_a.properties() = properties;
  }

  /// Lets the world run until `done`; false when it is not within `at_most` of virtual time.
  bool run_until(const std::function<bool()>& done, Duration at_most = std::chrono::seconds(30)) {
    return world.run_until(done, at_most);
  }
  void run_for(Duration duration) { world.run_for(duration); }

  World world;
  Host& a_host;
  Host& b_host;
  SimLoop a;
  SimLoop b;
  Link& a_to_b = world.network().link(a_host, b_host);
  Link& b_to_a = world.network().link(b_host, a_host);
};

}  // namespace qmux::sim
