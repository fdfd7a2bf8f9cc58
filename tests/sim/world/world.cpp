// SPDX-License-Identifier: MIT
#include "sim/world/world.h"

#include <algorithm>

#include "base/check.h"
#include "sim/world/loop.h"
#include "sim/world/network.h"

namespace qmux::sim {

struct World::OneShot {
  OneShot(World& world, std::move_only_function<void()> what)
      : action(std::move(what)), timer(world.events_, [this, &world] {
          // The list entry goes first: the action may end the world's run, or plan anything.
          auto run = std::move(action);
          world.one_shots_.remove_if([this](const OneShot& other) { return &other == this; });
          run();
        }) {}

  std::move_only_function<void()> action;
  Timer timer;
};

World::World(std::uint64_t seed) : seed_(seed), network_(std::make_unique<Network>(*this)) {}

World::~World() { CHECK(loops_.empty()); }

std::int64_t World::unix_seconds() const noexcept {
  return kEpochUnixSeconds + std::chrono::duration_cast<std::chrono::seconds>(elapsed()).count();
}

SeededRandom World::random(std::string_view name) {
  const std::uint64_t use = stream_uses_[std::string(name)]++;
  return {seed_, fmt::format("{}#{}", name, use)};
}

void World::after(Duration delay, std::move_only_function<void()> action) {
  one_shots_.emplace_back(*this, std::move(action)).timer.set(now_ + delay);
}

Time World::next_event() {
  // A loop's timers may have been set from outside its passes (by a test): look again every time.
  for (SimLoop* loop : loops_) loop->plan_pass_for_timers();
  return events_.next();
}

void World::go_to(Time event) {
  now_ = std::max(now_, event);
  events_.expire(now_);
}

bool World::step() {
  const Time next = next_event();
  if (next == kNever) return false;
  go_to(next);
  return true;
}

bool World::run_until(const std::function<bool()>& done, Duration at_most) {
  const Time deadline = now_ + at_most;
  while (!done()) {
    const Time next = next_event();
    if (next > deadline) {
      now_ = deadline;
      return false;
    }
    go_to(next);
  }
  return true;
}

void World::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

}  // namespace qmux::sim
