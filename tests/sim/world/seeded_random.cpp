// SPDX-License-Identifier: MIT
#include "sim/world/seeded_random.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace qmux::sim {

std::uint64_t digest(ConstBytes bytes) noexcept {
  std::uint64_t h = mix64(bytes.size());
  while (bytes.size() >= 8) {
    h = mix64(h ^ read_be<std::uint64_t>(bytes));
    bytes = bytes.subspan(8);
  }
  for (const std::byte b : bytes) h = mix64(h ^ std::to_integer<std::uint64_t>(b));
  return h;
}

SeededRandom::SeededRandom(std::uint64_t seed, std::string_view stream) noexcept {
  std::uint64_t value = mix64(seed) ^ digest(as_bytes(stream));
  for (std::uint64_t& word : state_) word = value = mix64(value);
}

std::uint64_t SeededRandom::next() noexcept {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SeededRandom::fill(MutableBytes into) noexcept {
  while (!into.empty()) {
    std::byte block[8];
    write_be<std::uint64_t>(block, next());
    const std::size_t count = std::min(into.size(), sizeof block);
    std::memcpy(into.data(), block, count);
    into = into.subspan(count);
  }
}

std::uint64_t SeededRandom::between(std::uint64_t low, std::uint64_t high) noexcept {
  const std::uint64_t span = high - low + 1;
  return span == 0 ? next() : low + next() % span;
}

Duration SeededRandom::between(Duration low, Duration high) noexcept {
  return low + Duration(static_cast<Duration::rep>(between(0, static_cast<std::uint64_t>((high - low).count()))));
}

bool SeededRandom::chance(double probability) noexcept {
  return static_cast<double>(next() >> 11U) * 0x1.0p-53 < probability;
}

}  // namespace qmux::sim
