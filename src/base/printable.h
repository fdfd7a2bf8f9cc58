// SPDX-License-Identifier: MIT
//
// Text from outside, fit to be shown: control characters, which could forge a line or steer a terminal, are written as their
// code points (\u001b).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qmux {

/// Appends `text`; of `quoted`, each character gets a backslash in front.
void append_printable(std::string& out, std::string_view text, std::string_view quoted = {});

[[nodiscard]] std::string printable(std::string_view text);

/// At most so many bytes of the text, "..." where it was longer; what is no printable ASCII becomes '?'. For what a peer may
/// write as it likes.
[[nodiscard]] std::string shown(std::string_view text, std::size_t bytes_max);

}  // namespace qmux
