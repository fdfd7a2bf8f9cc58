// SPDX-License-Identifier: MIT
//
// This program, run again with other arguments, and its output. It ends no later than its owner, however the owner ends.
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
  /// The first line that contains `text`, already printed or printed within `timeout`. If it ends or prints no such line: an
  /// Error with its last output.
  [[nodiscard]] Result<std::string> wait_for_line(const std::string& text, std::chrono::milliseconds timeout);
  /// -1 while it does not run.
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Sends SIGTERM, and SIGKILL if it has not ended in time. Waits for its end.
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
