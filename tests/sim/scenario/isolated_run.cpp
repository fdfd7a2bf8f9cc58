// SPDX-License-Identifier: MIT
#include "sim/scenario/isolated_run.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <utility>

#include "base/check.h"

namespace qmux::sim {
namespace {

/// Processor time, since a search leaves the machine to others; generous, since sanitizers are slow.
constexpr unsigned kRunSecondsMax = 120;

std::string to_report(const Verdict& verdict) {
  std::string report =
      fmt::format("{} {}\n{}\n{}\n", verdict.trace_hash, verdict.event_count, verdict.scenario, verdict.summary);
  for (const std::string& violation : verdict.violations) report += violation + "\n";
  return report;
}

Verdict from_report(const std::string& report) {
  Verdict verdict;
  std::istringstream lines(report);
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> verdict.trace_hash >> verdict.event_count;
  std::getline(lines, verdict.scenario);
  std::getline(lines, verdict.summary);
  while (std::getline(lines, line)) verdict.violations.push_back(line);
  return verdict;
}

[[noreturn]] void run_as_child(std::uint64_t seed, const RunSettings& settings, Tracing tracing, int report_fd) {
  const rlimit time{.rlim_cur = kRunSecondsMax, .rlim_max = RLIM_INFINITY};
  CHECK(setrlimit(RLIMIT_CPU, &time) == 0);
  // An interrupted search lets its runs end.
  std::signal(SIGINT, SIG_IGN);
  const std::string report = to_report(run_seed(seed, settings, tracing));
  std::fflush(stdout);
  for (std::size_t at = 0; at < report.size();) {
    const ssize_t written = write(report_fd, report.data() + at, report.size() - at);
    CHECK(written > 0);
    at += static_cast<std::size_t>(written);
  }
  close(report_fd);
  // exit(), not _exit(): leak checkers report there, and fail the run.
  std::exit(0);
}

}  // namespace

IsolatedRun::IsolatedRun(std::uint64_t seed, const RunSettings& settings, Tracing tracing) : seed_(seed) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  std::fflush(nullptr);
  child_ = fork();
  CHECK(child_ >= 0);
  if (child_ == 0) {
    close(ends[0]);
    run_as_child(seed, settings, tracing, ends[1]);
  }
  close(ends[1]);
  report_fd_ = ends[0];
}

IsolatedRun::IsolatedRun(IsolatedRun&& other) noexcept
    : seed_(other.seed_), child_(std::exchange(other.child_, -1)), report_fd_(std::exchange(other.report_fd_, -1)) {}

IsolatedRun::~IsolatedRun() {
  if (report_fd_ >= 0) close(report_fd_);
}

Verdict IsolatedRun::finish() {
  std::string report;
  char buffer[4096];
  for (ssize_t count = 0; (count = read(report_fd_, buffer, sizeof buffer)) > 0;) {
    report.append(buffer, static_cast<std::size_t>(count));
  }
  int status = 0;
  CHECK(waitpid(std::exchange(child_, -1), &status, 0) > 0);
  Verdict verdict = from_report(report);
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    verdict.violations.push_back(signal == SIGXCPU
                                     ? fmt::format("not over after {} s of processor time", kRunSecondsMax)
                                     : fmt::format("crashed: {}", strsignal(signal)));
  } else if (WEXITSTATUS(status) != 0) {
    verdict.violations.push_back(fmt::format("ended with status {}", WEXITSTATUS(status)));
  }
  return verdict;
}

}  // namespace qmux::sim
