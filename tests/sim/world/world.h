// SPDX-License-Identifier: MIT
//
// A virtual world: one clock, one queue of events ordered by (time, order of setting), one seed. Hosts, links and sockets
// live in its network; event loops run on its clock. Whatever is to happen is a Timer in its queue, owned by the thing that
// it happens to, so that nothing can outlive its owner.
//
// One thread. The World outlives all loops and sockets. Everything may be called from inside events.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/timer_queue.h"
#include "sim/world/seeded_random.h"
#include "sim/world/trace.h"

namespace qmux::sim {

class Network;
class SimLoop;

class World {
 public:
  /// The wall clock at the start: 2030-03-17 17:46:40 UTC, inside the validity of the certificates in tests/sim/fixtures.
  static constexpr std::int64_t kEpochUnixSeconds = 1'900'000'000;
  /// The monotonic clock at the start; not zero, so that small differences backwards stay positive.
  static constexpr Time kStart{std::chrono::hours(1)};

  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] Time now() const noexcept { return now_; }
  /// Since the start of the world.
  [[nodiscard]] Duration elapsed() const noexcept { return now_ - kStart; }
  [[nodiscard]] std::int64_t unix_seconds() const noexcept;
  [[nodiscard]] TimerQueue& events() noexcept { return events_; }
  [[nodiscard]] Trace& trace() noexcept { return trace_; }
  [[nodiscard]] Network& network() noexcept { return *network_; }
  [[nodiscard]] const std::vector<SimLoop*>& loops() const noexcept { return loops_; }

  /// A stream of its own for `name`; asked again for the same name (a process started anew), a fresh one.
  [[nodiscard]] SeededRandom random(std::string_view name);

  template <typename... Args>
  void record(fmt::format_string<Args...> format, Args&&... args) {
    trace_.event(now_, format, std::forward<Args>(args)...);
  }

  /// Runs `action` once, `delay` from now.
  void after(Duration delay, std::move_only_function<void()> action);

  /// Goes to the next moment at which something happens and lets it happen; false when nothing will ever again.
  bool step();
  /// Steps until `done`, or until nothing happens any more within `at_most`; the clock never passes that. Says whether done.
  bool run_until(const std::function<bool()>& done, Duration at_most);
  void run_for(Duration duration);

 private:
  friend class SimLoop;
  struct OneShot;

  [[nodiscard]] Time next_event();
  void go_to(Time event);

  const std::uint64_t seed_;
  Time now_ = kStart;
  Trace trace_;
  TimerQueue events_;
  std::map<std::string, std::uint64_t, std::less<>> stream_uses_;
  std::list<OneShot> one_shots_;
  std::vector<SimLoop*> loops_;
  std::unique_ptr<Network> network_;
};

}  // namespace qmux::sim
