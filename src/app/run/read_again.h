// SPDX-License-Identifier: MIT
//
// Reads and checks the configuration file of the command line, with what else the command line says.
#pragma once

#include <functional>

#include "app/config/reading/loaded.h"

namespace qmux::app {

/// On any thread.
template <typename Config>
using ReadConfig = std::function<LoadResult<Config>()>;

}  // namespace qmux::app
