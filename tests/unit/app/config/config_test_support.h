// SPDX-License-Identifier: MIT
//
// What the tests of configuration files share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config/load.h"

namespace qmux::app {

/// What the user would read; empty for a file that is right.
template <typename T>
std::vector<std::string> error_lines(const LoadResult<T>& result) {
  std::vector<std::string> lines;
  if (result) return lines;
  for (const Error& error : result.error()) lines.push_back(error.text());
  return lines;
}

/// An example with its commented-out keys in force ("# key: value", "#   key: value", "# key:"), prose left out.
inline std::string uncommented(std::string_view example) {
  std::string text;
  while (!example.empty()) {
    std::string line(example.substr(0, example.find('\n')));
    example.remove_prefix(line.size() + 1);
    const std::size_t hash = line.find("# ");
    const std::size_t key = line.find_first_not_of(" #");
    const std::size_t colon = line.find(':');
    const bool is_comment = hash != std::string::npos && hash < key;
    const bool names_a_key = key < colon && colon < line.find(' ', key);
    const bool has_one_value = colon + 1 == line.size() || line.find(' ', colon + 2) == std::string::npos;
    if (is_comment && names_a_key && has_one_value) line.erase(hash, 2);
    text += line + "\n";
  }
  return text;
}

}  // namespace qmux::app
