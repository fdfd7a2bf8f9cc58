// SPDX-License-Identifier: MIT
#include "sim/actors/udp_script.h"

#include <algorithm>
#include <array>

#include "wire/limits.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

/// Around what the tunnel and the links can carry in one piece.
constexpr std::array<std::size_t, 8> kPathSizes = {1150, 1200, 1201, 1252, 1350, 1400, 1452, 1472};

UdpSizes draw_sizes(SeededRandom& random) {
  constexpr std::array kSizes = {UdpSizes::small, UdpSizes::small, UdpSizes::path,
                                 UdpSizes::mixed, UdpSizes::mixed, UdpSizes::huge};
  return kSizes[random.below(kSizes.size())];
}

UdpAnswer draw_answer(SeededRandom& random) {
  constexpr std::array kAnswers = {UdpAnswer::echo, UdpAnswer::echo, UdpAnswer::sized, UdpAnswer::chatty,
                                   UdpAnswer::none};
  return kAnswers[random.below(kAnswers.size())];
}

}  // namespace

UdpScript draw_udp_script(SeededRandom& random) {
  UdpScript script{.sizes = draw_sizes(random), .answer = draw_answer(random)};
  switch (random.between(0, 5)) {
    case 0:  // a game, or voice
      script.payloads = static_cast<std::uint32_t>(random.between(50, 200));
      script.pause = random.between(Duration(5ms), Duration(30ms));
      if (script.sizes == UdpSizes::huge) script.sizes = UdpSizes::small;
      break;
    case 1:  // bulk, whatever the path can carry
      script.payloads = static_cast<std::uint32_t>(random.between(20, 150));
      script.burst = static_cast<std::uint32_t>(random.between(5, 60));
      script.pause = random.between(Duration(50ms), Duration(2s));
      break;
    case 2:  // longer pauses than some sessions last
      script.payloads = static_cast<std::uint32_t>(random.between(2, 5));
      script.burst = static_cast<std::uint32_t>(random.between(1, 2));
      script.pause = random.between(Duration(2s), Duration(9s));
      break;
    default:  // questions now and then
      script.payloads = static_cast<std::uint32_t>(random.between(3, 30));
      script.pause = random.between(Duration(100ms), Duration(1s));
  }
  if (script.sizes == UdpSizes::huge) script.payloads = std::min<std::uint32_t>(script.payloads, 12);
  script.connected = random.chance(0.4);
  script.leaves = random.chance(0.2);
  return script;
}

std::size_t draw_udp_size(SeededRandom& random, UdpSizes sizes) {
  switch (sizes) {
    case UdpSizes::small:
      return random.chance(0.2) ? random.between(0, 9) : random.between(10, 300);
    case UdpSizes::path:
      return kPathSizes[random.below(kPathSizes.size())];
    case UdpSizes::huge:
      return random.chance(0.1) ? limits::kUdpPayloadBytesMax : random.between(8'000, limits::kUdpPayloadBytesMax);
    case UdpSizes::mixed:
      break;
  }
  if (random.chance(0.6)) return draw_udp_size(random, UdpSizes::small);
  if (random.chance(0.5)) return draw_udp_size(random, UdpSizes::path);
  return random.chance(0.9) ? random.between(1'473, 8'000) : draw_udp_size(random, UdpSizes::huge);
}

}  // namespace qmux::sim
