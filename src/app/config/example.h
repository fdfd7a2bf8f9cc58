// SPDX-License-Identifier: MIT
//
// The commented files that `qmux generate config` writes. They load as they are.
#pragma once

#include <string_view>

namespace qmux::app {

[[nodiscard]] std::string_view example_server_config() noexcept;
[[nodiscard]] std::string_view example_client_config() noexcept;

}  // namespace qmux::app
