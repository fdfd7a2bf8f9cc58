// SPDX-License-Identifier: MIT
//
// The file that a server keeps the secret of its QUIC endpoints in.
#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"

namespace qmux::app {

/// Makes the file, readable by its owner alone, with 32 random bytes in hexadecimal, unless it is there.
[[nodiscard]] Result<void> make_secret_file(const std::string& path, Random& random);

}  // namespace qmux::app
