// SPDX-License-Identifier: MIT
#include "sim/pins/system_pins.h"

#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <optional>

#include "base/check.h"

namespace qmux::sim {
namespace {

/// Set while a world is in force; the libraries' own constructors run before that, and before ours.
constinit World* world_in_force = nullptr;
constinit std::optional<SeededRandom> stream;
constinit std::uint64_t startup_draws = 0;

void draw(void* into, std::size_t count) noexcept {
  const MutableBytes bytes(static_cast<std::byte*>(into), count);
  if (stream) return stream->fill(bytes);
  for (std::byte& b : bytes) b = static_cast<std::byte>(mix64(++startup_draws));
}

}  // namespace

SystemPins::SystemPins(World& world) {
  CHECK(world_in_force == nullptr);
  world_in_force = &world;
  stream.emplace(world.random("system"));
}

SystemPins::~SystemPins() {
  world_in_force = nullptr;
  stream.reset();
}

}  // namespace qmux::sim

// NOLINTBEGIN(readability-identifier-naming): the C library's names.
extern "C" {

ssize_t getrandom(void* into, size_t count, unsigned) {
  qmux::sim::draw(into, count);
  return static_cast<ssize_t>(count);
}

int getentropy(void* into, size_t count) {
  qmux::sim::draw(into, count);
  return 0;
}

int clock_gettime(clockid_t clock, struct timespec* into) noexcept {
  // What counts processor time is none of the world's business.
  if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
    return static_cast<int>(syscall(SYS_clock_gettime, clock, into));
  }
  const qmux::sim::World* world = qmux::sim::world_in_force;
  const auto since_start = world != nullptr ? world->elapsed().count() : 0;
  into->tv_sec = qmux::sim::World::kEpochUnixSeconds + since_start / 1'000'000'000;
  into->tv_nsec = since_start % 1'000'000'000;
  return 0;
}

time_t time(time_t* into) noexcept {
  struct timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (into != nullptr) *into = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
// NOLINTEND
