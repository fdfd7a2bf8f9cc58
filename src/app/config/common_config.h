// SPDX-License-Identifier: MIT
//
// The parts of a configuration that a server and a client share and that no layer below has options for. Plain values.
// docs/CONFIGURATION.md explains each key.
#pragma once

#include "base/log.h"

namespace qmux::app {

enum class AuthMethod { mtls, token };

struct LogConfig {
  log::Level level = log::Level::info;
  log::Format format = log::Format::text;
};

}  // namespace qmux::app
