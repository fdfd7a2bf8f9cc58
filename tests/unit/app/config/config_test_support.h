// SPDX-License-Identifier: MIT
//
// What the tests of configuration files share.
#pragma once

#include <regex>
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
  static const std::regex key("( *)# (( *)[a-z0-9_]+:( [^ ]+)?)");
  std::string text;
  for (std::size_t at = 0; at < example.size();) {
    const std::size_t end = example.find('\n', at);
    const std::string line(example.substr(at, end - at));
    std::smatch match;
    text += (std::regex_match(line, match, key) ? match[1].str() + match[2].str() : line) + "\n";
    at = end + 1;
  }
  return text;
}

}  // namespace qmux::app
