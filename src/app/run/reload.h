// SPDX-License-Identifier: MIT
//
// Reads the configuration and its files again while the program runs: on SIGHUP, and with `watch_files` when a file has changed.
//
// Belongs to the first loop's thread. Files are read on a thread of their own, since name look-ups and file systems may block.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "app/run/file_watch.h"
#include "app/run/worker_loops.h"
#include "base/result.h"
#include "base/timer_queue.h"
#include "net/background.h"

namespace qmux::app {

/// What has been read takes effect. Called on the first loop's thread while every other loop waits. After an Error nothing has
/// changed.
using ApplyReload = std::move_only_function<Result<void>()>;
using PreparedReload = std::expected<ApplyReload, std::vector<Error>>;
/// Reads and checks everything. Called on any thread, perhaps after the Reload is gone: it shares nothing with it.
using PrepareReload = std::function<PreparedReload()>;

class Reload {
 public:
  Reload(WorkerLoops& loops, PrepareReload prepare);
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;
  ~Reload() = default;

  /// Runs the loops until they are stopped: SIGHUP reloads, and the first SIGINT or SIGTERM calls `stop_wanted`, after which no
  /// reload takes effect any more.
  [[nodiscard]] Result<void> run(std::move_only_function<void()> stop_wanted);
  /// The files to look at from now on; none: changes of files are not noticed.
  void watch(std::vector<std::string> files);

 private:
  /// Reads everything again, after a reload that is under way. The result is logged. `why`: for the log.
  void begin(std::string_view why);
  void prepared(PreparedReload prepared);
  void look_at_files();

  WorkerLoops& loops_;
  const PrepareReload prepare_;
  std::unique_ptr<net::Background<PreparedReload>> under_way_;
  FileWatch files_;
  Timer look_;  ///< set while there are files to look at
  bool again_ = false;
};

}  // namespace qmux::app
