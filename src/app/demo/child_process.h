// SPDX-License-Identifier: MIT
//
// This program, run once more with other arguments, and what it prints. It ends no later than its owner does, however that
// comes about.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "net/file_descriptor.h"

namespace qmux::app {

class ChildProcess {
 public:
  explicit ChildProcess(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  /// Ends it as stop() does.
  ~ChildProcess() { stop(); }

  [[nodiscard]] Result<void> start();
  /// The first line, printed already or within `timeout`, that contains `text`; an Error with what it printed last when it
  /// ended or kept silent instead.
  [[nodiscard]] Result<std::string> wait_for_line(const std::string& text, std::chrono::milliseconds timeout);
  /// -1 while it does not run.
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// SIGTERM, and SIGKILL when that has not helped in time; waits for its end.
  void stop();

 private:
  void read_lines();

  std::vector<std::string> arguments_;
  pid_t pid_ = -1;
  net::FileDescriptor output_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;  ///< the last ones printed
  bool ended_ = false;
  std::jthread reader_;
};

}  // namespace qmux::app
