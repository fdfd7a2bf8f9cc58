// SPDX-License-Identifier: MIT
#include "support/source_tree.h"

#include <fstream>
#include <sstream>

namespace qmux::test {

std::string fixture(std::string_view name) { return std::string(QMUX_SOURCE_TREE "/tests/fixtures/").append(name); }

std::string source(std::string_view name) {
  std::ifstream file(std::string(QMUX_SOURCE_TREE "/src/").append(name));
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string document(std::string_view name) { return std::string(QMUX_SOURCE_TREE "/docs/").append(name); }

}  // namespace qmux::test
