// SPDX-License-Identifier: MIT
//
// qmux_sim: runs seeds, prints a line for each that fails and how to replay it, and at last "N passed, N failed".
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "quic/credentials.h"
#include "sim/scenario/isolated_run.h"

namespace qmux::sim {
namespace {

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

class Tally {
 public:
  void count(std::uint64_t seed, const Verdict& verdict) {
    if (verdict.violations.empty()) {
      ++passed_;
      return;
    }
    ++failed_;
    const std::string more =
        verdict.violations.size() > 1 ? fmt::format(" (and {} more)", verdict.violations.size() - 1) : "";
    fmt::print("seed {} failed: {}{}; replay: qmux_sim --seed {}\n", seed, verdict.violations.front(), more, seed);
    std::fflush(stdout);
  }
  void count(bool passed) { ++(passed ? passed_ : failed_); }
  /// The last line, and the exit status.
  int close() const {
    fmt::print("{} passed, {} failed\n", passed_, failed_);
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

 private:
  std::uint64_t passed_ = 0;
  std::uint64_t failed_ = 0;
};

int run_range(const SeedRange& range, const RunCredentials& credentials, std::size_t jobs) {
  Tally tally;
  std::deque<IsolatedRun> running;
  for (std::uint64_t seed = range.first; seed <= range.last || !running.empty();) {
    if (seed <= range.last && running.size() < jobs) {
      running.emplace_back(seed++, credentials, false);
      continue;
    }
    tally.count(running.front().seed(), running.front().finish());
    running.pop_front();
  }
  return tally.close();
}

int run_one(std::uint64_t seed, const RunCredentials& credentials, bool trace) {
  const Verdict verdict = IsolatedRun(seed, credentials, trace).finish();
  fmt::print("seed {}: {}\n", seed, verdict.summary);
  fmt::print("trace {:016x} of {} events\n", verdict.trace_hash, verdict.event_count);
  for (const std::string& violation : verdict.violations) fmt::print("violation: {}\n", violation);
  Tally tally;
  tally.count(verdict.violations.empty());
  return tally.close();
}

/// The trace line of a seed, run by a fresh process from the start: addresses in memory differ from ours.
std::string fresh_trace(std::uint64_t seed) {
  char self[4096];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof self);
  if (length <= 0) return {};
  const std::string command =
      fmt::format("'{}' --seed {}", std::string_view(self, static_cast<std::size_t>(length)), seed);
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

int check_replay(const SeedRange& range) {
  // All of them once, then all of them again: so that time passes between the two runs of a seed.
  std::vector<std::string> first;
  for (std::uint64_t seed = range.first; seed <= range.last; ++seed) first.push_back(fresh_trace(seed));
  Tally tally;
  for (std::uint64_t seed = range.first; seed <= range.last; ++seed) {
    const std::string& before = first[seed - range.first];
    const std::string now = fresh_trace(seed);
    const bool same = !before.empty() && before == now;
    if (!same) fmt::print("seed {} went two ways: {} and {}\n", seed, before, now);
    tally.count(same);
  }
  return tally.close();
}

int run(int argc, char** argv) {
  CLI::App app("Runs QMux in a simulated world: servers, clients, visitors and faults, all from a seed.", "qmux_sim");
  std::string seeds;
  std::string replay;
  std::uint64_t seed = 0;
  bool trace = false;
  bool log = false;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  app.add_option("--seeds", seeds, "run these seeds: A..B");
  app.add_option("--seed", seed, "run this seed and tell more about it");
  app.add_option("--check-replay", replay, "run each of these seeds twice in fresh processes: A..B");
  app.add_flag("--trace", trace, "with --seed: print everything that happens");
  app.add_flag("--log", log, "let the program log");
  app.add_option("--jobs", jobs, "runs at the same time")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  log::configure(log ? log::Level::debug : log::Level::off, log::Format::text);
  const std::string fixtures = QMUX_FIXTURES;
  const auto server = quic::Credentials::load(
      {fixtures + "/server.crt", fixtures + "/server.key", fixtures + "/ca.crt"}, quic::Credentials::Purpose::server);
  const auto client = quic::Credentials::load(
      {fixtures + "/client.crt", fixtures + "/client.key", fixtures + "/ca.crt"}, quic::Credentials::Purpose::client);
  const auto intruder = quic::Credentials::load(
      {fixtures + "/foreign_client.crt", fixtures + "/foreign_client.key", fixtures + "/ca.crt"},
      quic::Credentials::Purpose::client);
  for (const auto* loaded : {&server, &client, &intruder}) {
    if (*loaded) continue;
    fmt::print(stderr, "{}\n", loaded->error().text());
    return 1;
  }
  const RunCredentials credentials{**server, **client, **intruder};

  if (app.count("--seed") > 0) return run_one(seed, credentials, trace);
  const auto range = parse_range(replay.empty() ? seeds : replay);
  if (!range) {
    fmt::print(stderr, "seeds are given as A..B, with A <= B\n");
    return 2;
  }
  return replay.empty() ? run_range(*range, credentials, jobs) : check_replay(*range);
}

}  // namespace
}  // namespace qmux::sim

int main(int argc, char** argv) { return qmux::sim::run(argc, argv); }
