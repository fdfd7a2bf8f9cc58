// SPDX-License-Identifier: MIT
//
// qmux_sim: runs seeds, prints a line for each that fails and how to replay it, and at last "N passed, N failed".
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <ratio>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "quic/credentials.h"
#include "sim/pins/real_clock.h"
#include "sim/scenario/isolated_run.h"
#include "sim/scenario/once_failed.h"
#include "sim/scenario/scenarios.h"
#include "sim/scenario/search.h"
#include "sim/scenario/tally.h"
#include "support/source_tree.h"

namespace qmux::sim {
namespace {

/// What --with takes for each of them in turn.
constexpr std::string_view kEveryScenario = "all";

/// More than a machine can run.
constexpr std::uint64_t kSeedsPerSecond = 1000;

struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
};

std::optional<SeedRange> parse_range(const std::string& text) {
  SeedRange range;
  const std::size_t dots = text.find("..");
  const auto number = [](std::string_view digits, std::uint64_t& into) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return error == std::errc{} && end == digits.data() + digits.size();
  };
  const std::string_view view = text;
  if (dots == std::string::npos) {
    if (!number(view, range.first)) return {};
    range.last = range.first;
    return range;
  }
  if (!number(view.substr(0, dots), range.first) || !number(view.substr(dots + 2), range.last)) return {};
  if (range.first > range.last) return {};
  return range;
}

int run_one(std::uint64_t seed, const RunSettings& settings, bool trace) {
  const Verdict verdict = IsolatedRun(seed, settings, trace ? Tracing::printed : Tracing::hashed).finish();
  fmt::print("seed {}: {}\n", seed, verdict.summary);
  fmt::print("trace {:016x} of {} events\n", verdict.trace_hash, verdict.event_count);
  for (const std::string& violation : verdict.violations) fmt::print("violation: {}\n", violation);
  Tally tally;
  tally.count(verdict.violations.empty());
  return tally.close();
}

/// The trace line of a seed, run by a fresh process from the start: addresses in memory differ from ours.
std::string fresh_trace(std::uint64_t seed, const std::string& scenario) {
  char self[4096];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof self);
  if (length <= 0) return {};
  std::string command = fmt::format("'{}' --seed {}", std::string_view(self, static_cast<std::size_t>(length)), seed);
  if (!scenario.empty()) command += " --with " + scenario;
  std::FILE* output = popen(command.c_str(), "r");
  if (output == nullptr) return {};
  std::string trace;
  char line[4096];
  while (std::fgets(line, sizeof line, output) != nullptr) {
    if (std::string_view(line).starts_with("trace ")) trace = line;
  }
  pclose(output);
  if (!trace.empty()) trace.pop_back();  // the line's end
  return trace;
}

int check_replay(const SeedRange& range, const std::string& scenario) {
  // All of them once, then all of them again: so that time passes between the two runs of a seed.
  std::vector<std::string> first;
  for (std::uint64_t seed = range.first; seed <= range.last; ++seed) first.push_back(fresh_trace(seed, scenario));
  Tally tally;
  for (std::uint64_t seed = range.first; seed <= range.last; ++seed) {
    const std::string& before = first[seed - range.first];
    const std::string now = fresh_trace(seed, scenario);
    const bool same = !before.empty() && before == now;
    if (!same) fmt::print("seed {} went two ways: {} and {}\n", seed, before, now);
    tally.count(same);
  }
  return tally.close();
}

struct Options {
  std::string seeds;
  std::string replay;
  std::uint64_t seed = 0;
  double hours = 0;
  std::uint64_t from = 0;
  bool once_failed = false;
  std::string scenario;
  bool trace = false;
  bool log = false;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
};

int run_every_scenario(const SeedRange& range, RunSettings settings, std::size_t jobs, Tally& tally) {
  for (const Scenario& scenario : all_scenarios()) {
    settings.scenario = scenario.name;
    Search(settings, jobs, tally).run_range(range.first, range.last);
  }
  return tally.close();
}

int run_seeds(const CLI::App& app, const Options& options, const RunSettings& settings) {
  if (app.count("--seed") > 0) return run_one(options.seed, settings, options.trace);
  const std::string& ranged = options.replay.empty() ? options.seeds : options.replay;
  const auto range = parse_range(ranged);
  if (!range && !ranged.empty()) {
    fmt::print(stderr, "seeds are given as A..B, with A <= B\n");
    return 2;
  }
  if (!options.replay.empty()) return check_replay(*range, settings.scenario);

  Tally tally;
  if (!options.scenario.empty()) tally.set_forced();
  if (options.scenario == kEveryScenario) return run_every_scenario(*range, settings, options.jobs, tally);
  Search search(settings, options.jobs, tally);
  if (options.once_failed) {
    for (const std::uint64_t seed : kOnceFailedSeeds) search.run_range(seed, seed);
  }
  if (range) search.run_range(range->first, range->last);
  if (app.count("--hours") > 0) {
    // Where nothing else is asked for, a search begins where none has been.
    const std::uint64_t first =
        app.count("--from") > 0 ? options.from : static_cast<std::uint64_t>(real_unix_seconds()) * kSeedsPerSecond;
    search.run_for(std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::ratio<3600>>(options.hours)),
                   first);
  }
  return tally.close();
}

int run(int argc, char** argv) {
  CLI::App app("Runs QMux in a simulated world: servers, clients, visitors and faults, all from a seed.", "qmux_sim");
  Options options;
  auto* what = app.add_option_group("what to run");
  what->add_option("--seeds", options.seeds, "run these seeds: A..B");
  what->add_option("--seed", options.seed, "run this seed and print more about it");
  what->add_option("--check-replay", options.replay, "run each of these seeds twice in fresh processes: A..B");
  auto* hours =
      what->add_option("--hours", options.hours, "run seed after seed for this time")->check(CLI::PositiveNumber);
  what->add_flag("--once-failed", options.once_failed, "run the seeds that failed once");
  what->require_option(1, 0);
  app.add_option("--from", options.from, "with --hours: the first seed")->needs(hours);
  std::vector<std::string> scenarios;
  for (const Scenario& scenario : all_scenarios()) scenarios.emplace_back(scenario.name);
  scenarios.emplace_back(kEveryScenario);
  app.add_option("--with", options.scenario, "this scenario instead of what each seed draws; with --seeds also: all")
      ->check(CLI::IsMember(scenarios));
  app.add_flag("--trace", options.trace, "with --seed: print everything that happens");
  app.add_flag("--log", options.log, "let the program log");
  app.add_option("--jobs", options.jobs, "runs at the same time")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  log::configure(options.log ? log::Level::debug : log::Level::off, log::Format::text);
  auto server =
      quic::Credentials::load({test::fixture("server.crt"), test::fixture("server.key"), test::fixture("ca.crt")},
                              quic::Credentials::Purpose::server);
  auto client =
      quic::Credentials::load({test::fixture("client.crt"), test::fixture("client.key"), test::fixture("ca.crt")},
                              quic::Credentials::Purpose::client);
  auto intruder = quic::Credentials::load(
      {test::fixture("foreign_client.crt"), test::fixture("foreign_client.key"), test::fixture("ca.crt")},
      quic::Credentials::Purpose::client);
  auto anonymous = quic::Credentials::load({.certificate = {}, .key = {}, .trust = test::fixture("ca.crt")},
                                           quic::Credentials::Purpose::client);
  for (const auto* loaded : {&server, &client, &intruder, &anonymous}) {
    if (*loaded) continue;
    fmt::print(stderr, "{}\n", loaded->error().text());
    return 1;
  }
  if (options.scenario == kEveryScenario && options.seeds.empty()) {
    fmt::print(stderr, "--with {} needs --seeds\n", kEveryScenario);
    return 2;
  }
  const std::string forced = options.scenario == kEveryScenario ? "" : options.scenario;
  return run_seeds(
      app, options,
      {.credentials = {std::move(*server), std::move(*client), std::move(*intruder), std::move(*anonymous)},
       .scenario = forced});
}

}  // namespace
}  // namespace qmux::sim

int main(int argc, char** argv) { return qmux::sim::run(argc, argv); }
