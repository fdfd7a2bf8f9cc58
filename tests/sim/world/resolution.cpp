// SPDX-License-Identifier: MIT
#include "sim/world/resolution.h"

#include "sim/world/network.h"
#include "sim/world/world.h"

namespace qmux::sim {

SimResolution::SimResolution(ReadyQueue& ready, World& world, HostPort host, Duration delay,
                             io::EventLoop::Resolved done)
    : ReadySource(ready),
      world_(world),
      host_(std::move(host)),
      done_(std::move(done)),
      answer_(world.events(), [this] { enqueue(0); }) {
  answer_.set(world.now() + delay);
}

Result<std::vector<Address>> SimResolution::answer() const {
  if (host_.host.empty()) return std::vector{Address::any(AF_INET6, host_.port), Address::any(AF_INET, host_.port)};
  if (const auto literal = Address::from_literal(host_.host, host_.port)) return std::vector{*literal};
  std::vector<Address> addresses = world_.network().look_up(host_.host);
  if (addresses.empty()) return fail("no such host", host_.host);
  for (Address& address : addresses) address.set_port(host_.port);
  return addresses;
}

void SimResolution::ready(unsigned) {
  // The callback may destroy this object.
  auto done = std::move(done_);
  done(answer());
}

}  // namespace qmux::sim
