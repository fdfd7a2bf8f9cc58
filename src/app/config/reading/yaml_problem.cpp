// SPDX-License-Identifier: MIT
#include "app/config/reading/yaml_problem.h"

namespace qmux::app {
namespace {

struct Explanation {
  std::string_view message;  ///< of the library, or how it begins: what it repeats of the file comes last
  std::string_view what;
  std::string_view expected;
};

constexpr std::string_view kColumns = "the keys of one map in one column, below it those that belong to it";
constexpr std::string_view kQuotes = "quotes around a value that begins with or holds characters that YAML reserves";

constexpr Explanation kExplanations[] = {
    {"illegal map value", "a \":\" is not allowed here",
     "\"key: value\" on a line of its own, in the column of its neighbours; quotes around a value that holds \": \""},
    {"end of map not found", "the indentation matches no line above", kColumns},
    {"end of sequence not found", "the indentation matches no line above", kColumns},
    {"illegal block entry", "a \"- \" is not allowed here", "each item on a line of its own"},
    {"unknown token", "no value can begin with this character", kQuotes},
    {"the referenced anchor is not defined", "a \"*\" that names no \"&\" above it", kQuotes},
    {"unknown escape character", "an unknown escape sequence", "\"\\\\\", or single quotes around the value"},
};

std::string_view line_of(std::string_view text, int number) {
  for (int line = 1; line < number; ++line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace

YamlProblem explain_yaml(std::string_view text, Mark mark, const std::string& message) {
  // A tab looks right to the author, and the library reports only its consequence.
  const std::string_view line = line_of(text, mark.line);
  const std::string_view indentation = line.substr(0, line.find_first_not_of(" \t"));
  if (const auto tab = indentation.find('\t'); tab != std::string_view::npos) {
    return {{mark.line, static_cast<int>(tab) + 1}, "a tab in the indentation", "spaces: YAML takes no tabs there"};
  }
  for (const auto& [known, what, expected] : kExplanations) {
    if (message.starts_with(known)) return {mark, std::string(what), std::string(expected)};
  }
  return {mark, message.substr(0, message.find(':')), {}};
}

}  // namespace qmux::app
