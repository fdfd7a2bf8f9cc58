// SPDX-License-Identifier: MIT
//
// Keeps this process and others on one processor for a while, so that a round trip among them shows the cost of the programs and
// not how long processors sleep.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <initializer_list>
#include <vector>

namespace qmux::app {

class OneProcessor {
 public:
  /// Moves this process and `others`, each with its present threads. Undone on destruction.
  explicit OneProcessor(std::initializer_list<pid_t> others);
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;
  ~OneProcessor();

  /// Whether all of them are on it. False where the system does not permit that.
  [[nodiscard]] bool holds() const noexcept { return holds_; }

 private:
  struct Thread {
    pid_t id;
    cpu_set_t before;
  };
  std::vector<Thread> threads_;
  bool holds_ = true;
};

}  // namespace qmux::app
