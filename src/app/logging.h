// SPDX-License-Identifier: MIT
//
// The configuration's word about logs, put into force.
#pragma once

#include <string>
#include <vector>

#include "app/config/common_config.h"

namespace qmux::app {

/// Once a process, after net::take_over_signals() and before other threads are there: lines are written by a thread.
void configure_log(const LogConfig& config);

/// What loading the configuration had to say, each once.
void log_remarks(const std::vector<std::string>& warnings, const std::vector<std::string>& notices);

}  // namespace qmux::app
