// SPDX-License-Identifier: MIT
//
// Applies the configuration of the log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config/common_config.h"
#include "app/run/run_inputs.h"

namespace qmux::app {

/// Call it once a process, after net::take_over_signals() and before other threads start: a thread writes the lines.
void configure_log(const LogConfig& config);

/// After a reload.
void change_log(const LogConfig& config);
/// After a reload: `key` has changed, and what it says takes effect at the next start.
void log_if_kept(std::string_view key, bool changed);

/// Logs the warnings and notices of loading the configuration.
void log_remarks(const std::vector<std::string>& warnings, const std::vector<std::string>& notices);

/// Logs why the "server" or the "client" cannot run, one line for each cause. Returns the exit status.
[[nodiscard]] int cannot_run(std::string_view which, const std::vector<Error>& causes);

/// Warns about the own certificate's dates when there is a problem.
void log_dates(const RunInputs& inputs);

}  // namespace qmux::app
