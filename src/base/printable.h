// SPDX-License-Identifier: MIT
//
// Makes text from outside safe to print, and bytes printable at all. Control characters, which could forge a line or control a
// terminal, become their code points (\u001b).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace qmux {

/// Appends `text`; of `quoted`, each character gets a backslash in front.
void append_printable(std::string& out, std::string_view text, std::string_view quoted = {});

[[nodiscard]] std::string printable(std::string_view text);

/// Two lower-case hexadecimal digits for each byte.
[[nodiscard]] std::string hex(ConstBytes bytes);

/// At most `bytes_max` bytes of the text, with "..." where it was longer. Every byte that is not printable ASCII becomes '?'. For
/// text that a peer chooses freely.
[[nodiscard]] std::string shown(std::string_view text, std::size_t bytes_max);

}  // namespace qmux
