// SPDX-License-Identifier: MIT
//
// Writes lines to a descriptor from a thread of its own, so that a reader that has stopped (a paused terminal, a full pipe) does
// not block a worker. The lines that wait are bounded: further lines are dropped, and a line reports how many as soon as there is
// room.
//
// write() and flush() may be called from any thread. The thread lives as long as the process, so an object is never destroyed.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/time.h"

namespace qmux {

class LineWriter {
 public:
  /// The line that reports how many were dropped, with its line end.
  using DroppedLine = std::function<std::string(std::uint64_t count)>;

  /// Starts the thread. Where no thread can be started, write() writes at once. `fd` stays open.
  static LineWriter& start(int fd, std::size_t bytes_max, DroppedLine dropped_line);
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  void write(std::string_view line);
  /// Waits until everything has been written, for `at_most`. False: lines remain.
  bool flush(Duration at_most);

 private:
  LineWriter(int fd, std::size_t bytes_max, DroppedLine dropped_line);
  void run();
  void write_out(const std::string& text) const;

  const int fd_;
  const std::size_t bytes_max_;
  const DroppedLine dropped_line_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  std::uint64_t dropped_ = 0;
  bool writing_ = false;  ///< lines taken out of `waiting_` are being written
  bool threaded_ = false;
};

}  // namespace qmux
