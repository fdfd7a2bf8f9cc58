// SPDX-License-Identifier: MIT
#pragma once

namespace qmux::app {

/// "2.0.0", as CMake's project() has it.
[[nodiscard]] const char* version() noexcept;

}  // namespace qmux::app
