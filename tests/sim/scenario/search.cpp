// SPDX-License-Identifier: MIT
#include "sim/scenario/search.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <deque>

#include "sim/pins/real_clock.h"
#include "sim/scenario/isolated_run.h"

namespace qmux::sim {
namespace {

constexpr Duration kProgressInterval = std::chrono::minutes(5);

volatile std::sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }

}  // namespace

void Search::run(const std::function<std::optional<std::uint64_t>()>& next) {
  std::deque<IsolatedRun> running;
  for (std::optional<std::uint64_t> seed = next(); seed || !running.empty();) {
    if (seed && running.size() < jobs_) {
      running.emplace_back(*seed, settings_, Tracing::off);
      seed = next();
      continue;
    }
    tally_.count(running.front().seed(), running.front().finish());
    running.pop_front();
  }
}

void Search::run_range(std::uint64_t first, std::uint64_t last) {
  std::uint64_t seed = first;
  run([&]() -> std::optional<std::uint64_t> {
    if (seed > last) return {};
    return seed++;
  });
}

void Search::run_for(Duration time, std::uint64_t first) {
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  const Time begin = real_monotonic_time();
  Time next_report = begin + kProgressInterval;
  std::uint64_t seed = first;
  fmt::print("searching from seed {}\n", first);
  std::fflush(stdout);
  run([&]() -> std::optional<std::uint64_t> {
    const Time now = real_monotonic_time();
    if (interrupted != 0 || now - begin >= time) return {};
    if (now >= next_report) {
      next_report = now + kProgressInterval;
      fmt::print("at seed {}: {} passed, {} failed so far\n", seed, tally_.passed_count(), tally_.failed_count());
      std::fflush(stdout);
    }
    return seed++;
  });
  const std::chrono::duration<double> taken = real_monotonic_time() - begin;
  fmt::print("searched {} seeds from {} on, {:.1f} a second; to go on: --from {}\n", seed - first, first,
             static_cast<double>(seed - first) / taken.count(), seed);
}

}  // namespace qmux::sim
