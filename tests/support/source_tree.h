// SPDX-License-Identifier: MIT
//
// Where the files of the source tree are that tests read.
#pragma once

#include <string>
#include <string_view>

namespace qmux::test {

/// The path of tests/fixtures/`name`.
std::string fixture(std::string_view name);
/// What src/`name` holds.
std::string source(std::string_view name);
/// The path of docs/`name`.
std::string document(std::string_view name);

}  // namespace qmux::test
