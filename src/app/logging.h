// SPDX-License-Identifier: MIT
//
// The configuration's word about logs, put into force.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config/common_config.h"
#include "app/run_inputs.h"

namespace qmux::app {

/// Once a process, after net::take_over_signals() and before other threads are there: lines are written by a thread.
void configure_log(const LogConfig& config);

/// What loading the configuration had to say, each once.
void log_remarks(const std::vector<std::string>& warnings, const std::vector<std::string>& notices);

/// Logs why the "server" or the "client" cannot run, a line for each cause. Returns the exit status.
[[nodiscard]] int cannot_run(std::string_view which, const std::vector<Error>& causes);

/// Warns of the own certificate's dates, when there is something to say.
void log_dates(const RunInputs& inputs);

}  // namespace qmux::app
