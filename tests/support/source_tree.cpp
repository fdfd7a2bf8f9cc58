// SPDX-License-Identifier: MIT
#include "support/source_tree.h"

namespace qmux::test {

std::string fixture(std::string_view name) { return std::string(QMUX_SOURCE_TREE "/tests/fixtures/").append(name); }

std::string document(std::string_view name) { return std::string(QMUX_SOURCE_TREE "/docs/").append(name); }

}  // namespace qmux::test
