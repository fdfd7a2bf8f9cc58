// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/random.h"

namespace qmux::app {

/// A random UUID (RFC 9562 section 5.4): the name of a client without a `client_id` for the life of the process.
[[nodiscard]] std::string random_client_id(Random& random);

}  // namespace qmux::app
