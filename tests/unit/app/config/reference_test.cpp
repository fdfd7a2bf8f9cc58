// SPDX-License-Identifier: MIT
//
// docs/CONFIGURATION.md and the example files against the keys that the program knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "app/config/example.h"
#include "app/config/load.h"
#include "support/source_tree.h"

namespace qmux::app {
namespace {

/// The rows ("| `key` | ...") of one "## " section of the reference.
std::vector<std::string> rows_of(std::string_view heading) {
  std::ifstream file(test::document("CONFIGURATION.md"));
  EXPECT_TRUE(file.is_open());
  std::vector<std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == heading;
    if (inside && line.starts_with("| `")) rows.push_back(line);
  }
  return rows;
}

std::string beginning_of_row(const KeyInfo& key) {
  const std::string value = key.required ? "**required**" : key.default_value.empty() ? "–" : key.default_value;
  return "| `" + key.path + "` | " + key.type + " | " + value + " | ";
}

std::string said_effect(const KeyInfo& key) {
  switch (key.effect) {
    case KeyInfo::Effect::now:
      return "";
    case KeyInfo::Effect::later:
      return "*Not yet.*";
    case KeyInfo::Effect::never:
      return "*No effect*";
  }
  return "";
}

void expect_rows_for(std::string_view heading, const std::vector<KeyInfo>& keys) {
  const auto rows = rows_of(heading);
  ASSERT_EQ(rows.size(), keys.size()) << heading << " has a row for each key and no other";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_THAT(rows[i], ::testing::StartsWith(beginning_of_row(keys[i]) + said_effect(keys[i])));
  }
}

TEST(Reference, has_every_key_of_a_server_with_its_type_and_default) {
  expect_rows_for("## Server file", server_keys());
}

TEST(Reference, has_every_key_of_a_client_with_its_type_and_default) {
  expect_rows_for("## Client file", client_keys());
}

std::string name_of(const KeyInfo& key) { return key.path.substr(key.path.rfind('.') + 1); }

/// Of an example: the keys, commented out or not, whose line comes right after one with the mark.
std::vector<std::string> keys_marked_not_yet(std::string_view example) {
  std::vector<std::string> keys;
  bool marked = false;
  while (!example.empty()) {
    const std::string_view line = example.substr(0, example.find('\n'));
    example.remove_prefix(line.size() + 1);
    const std::string_view text = line.substr(std::min(line.size(), line.find_first_not_of(" #-")));
    if (marked && !text.starts_with("method:")) keys.emplace_back(text.substr(0, text.find(':')));
    marked = text.contains("Not yet:");
  }
  return keys;
}

void expect_marks(std::string_view example, const std::vector<KeyInfo>& known) {
  std::vector<std::string> later;
  for (const KeyInfo& key : known) {
    if (key.effect == KeyInfo::Effect::later) later.push_back(name_of(key));
  }
  ASSERT_FALSE(later.empty());
  EXPECT_THAT(keys_marked_not_yet(example), ::testing::UnorderedElementsAreArray(later));
}

TEST(Example, marks_the_keys_of_a_server_that_have_no_effect_yet) {
  expect_marks(example_server_config(), server_keys());
}

TEST(Example, marks_the_keys_of_a_client_that_have_no_effect_yet) {
  expect_marks(example_client_config(), client_keys());
}

}  // namespace
}  // namespace qmux::app
