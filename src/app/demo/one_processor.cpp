// SPDX-License-Identifier: MIT
#include "app/demo/one_processor.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

namespace qmux::app {
namespace {

std::vector<pid_t> threads_of(pid_t process) {
  std::vector<pid_t> threads;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/" + std::to_string(process) + "/task", error), end;
       !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    pid_t thread = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), thread).ec == std::errc{}) threads.push_back(thread);
  }
  return threads;
}

/// The first processor that this thread may use.
cpu_set_t first_processor() {
  cpu_set_t allowed;
  cpu_set_t first;
  CPU_ZERO(&allowed);
  CPU_ZERO(&first);
  sched_getaffinity(0, sizeof allowed, &allowed);
  for (unsigned processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (!CPU_ISSET(processor, &allowed)) continue;
    CPU_SET(processor, &first);
    break;
  }
  return first;
}

}  // namespace

OneProcessor::OneProcessor(std::initializer_list<pid_t> others) {
  const cpu_set_t one = first_processor();
  std::vector<pid_t> processes(others);
  processes.push_back(getpid());
  for (const pid_t process : processes) {
    const auto threads = threads_of(process);
    holds_ = holds_ && !threads.empty();
    for (const pid_t thread : threads) {
      Thread moved{.id = thread, .before = {}};
      if (sched_getaffinity(thread, sizeof moved.before, &moved.before) != 0 ||
          sched_setaffinity(thread, sizeof one, &one) != 0) {
        holds_ = false;
        continue;
      }
      threads_.push_back(moved);
    }
  }
}

OneProcessor::~OneProcessor() {
  for (const Thread& thread : threads_) sched_setaffinity(thread.id, sizeof thread.before, &thread.before);
}

}  // namespace qmux::app
