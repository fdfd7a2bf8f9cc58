// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/random.h"

namespace qmux::app {

/// A random UUID (RFC 9562 section 5.4): what a client without a `client_id` calls itself for the life of the process.
[[nodiscard]] std::string random_client_id(Random& random);

}  // namespace qmux::app
