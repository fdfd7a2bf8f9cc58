// SPDX-License-Identifier: MIT
//
// A YAML document as plain values, each with its place in the file. No other code uses the YAML library. Keys keep their order
// and their duplicates; aliases (`*name`) and merge keys (`<<`) are resolved.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qmux::app {

/// A place in a file, counted from 1.
struct Mark {
  int line = 1;
  int column = 1;
};

struct YamlEntry;

struct YamlNode {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  std::string text;     ///< of a scalar
  bool quoted = false;  ///< a scalar in quotes is text, never a number or a truth value
  Mark mark;
  std::vector<YamlNode> items;     ///< of a list
  std::vector<YamlEntry> entries;  ///< of a map
};

struct YamlEntry {
  std::string key;
  Mark mark;  ///< of the key
  YamlNode value;
};

struct YamlProblem {
  Mark mark;
  std::string what;
  std::string expected;  ///< what would be right; empty when `what` says it
};

struct YamlDocument {
  YamlNode root;                        ///< null for an empty file
  std::optional<Mark> second_document;  ///< where another document begins, which is not read
};

/// Never throws, whatever the input. Its memory is bounded: aliases cannot multiply a document without limit.
[[nodiscard]] std::expected<YamlDocument, YamlProblem> parse_yaml(std::string_view text);

}  // namespace qmux::app
