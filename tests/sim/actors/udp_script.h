// SPDX-License-Identifier: MIT
//
// How a visitor by UDP behaves and how the local service answers it, drawn at random: rates as of games, voice, DNS and
// bulk, sizes from none to the largest.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "sim/world/seeded_random.h"

namespace qmux::sim {

enum class UdpSizes : std::uint8_t {
  small,  ///< up to 300 bytes
  path,   ///< about what a path takes in one piece
  huge,   ///< up to the largest payload there is
  mixed,
};

enum class UdpAnswer : std::uint8_t {
  echo,    ///< of the same size
  sized,   ///< as of DNS, up to 4,000 bytes
  chatty,  ///< an echo, and unasked payloads for a while
  none,
};

struct UdpScript {
  std::uint32_t payloads = 0;
  std::uint32_t burst = 1;  ///< payloads at once
  Duration pause{};         ///< between bursts, half to one and a half of it
  UdpSizes sizes = UdpSizes::small;
  UdpAnswer answer = UdpAnswer::echo;
  bool connected = false;  ///< its socket, which is notified when no socket has the port
  bool leaves = false;     ///< closes its socket at the end, whatever is still to come

  /// At a rate that every healthy path carries.
  [[nodiscard]] bool gentle() const noexcept {
    return burst == 1 && pause >= std::chrono::milliseconds(100) && sizes != UdpSizes::huge;
  }
};

[[nodiscard]] UdpScript draw_udp_script(SeededRandom& random);
[[nodiscard]] std::size_t draw_udp_size(SeededRandom& random, UdpSizes sizes);

}  // namespace qmux::sim
