// SPDX-License-Identifier: MIT
#include "app/config/reading/yaml_tree.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "app/config/reading/yaml_problem.h"

namespace qmux::app {
namespace {

YamlNode tree(std::string_view text) {
  auto document = parse_yaml(text);
  EXPECT_TRUE(document.has_value()) << document.error().what;
  return document ? std::move(document->root) : YamlNode{};
}

std::string problem(std::string_view text) {
  const auto document = parse_yaml(text);
  if (document) return "none";
  return std::to_string(document.error().mark.line) + ":" + std::to_string(document.error().mark.column) + ": " +
         document.error().what;
}

TEST(YamlTree, keeps_places_order_and_duplicates) {
  const YamlNode root = tree("a: 1\nb:\n  - x\n  - \"2\"\na: ~\n");
  ASSERT_EQ(root.kind, YamlNode::Kind::map);
  ASSERT_EQ(root.entries.size(), 3U);
  EXPECT_EQ(root.entries[0].key, "a");
  EXPECT_EQ(root.entries[0].value.text, "1");
  EXPECT_FALSE(root.entries[0].value.quoted);
  ASSERT_EQ(root.entries[1].value.items.size(), 2U);
  EXPECT_TRUE(root.entries[1].value.items[1].quoted);
  EXPECT_EQ(root.entries[1].value.items[1].mark.line, 4);
  EXPECT_EQ(root.entries[1].value.items[1].mark.column, 5);
  EXPECT_EQ(root.entries[2].key, "a");
  EXPECT_EQ(root.entries[2].mark.line, 5);
  EXPECT_EQ(root.entries[2].value.kind, YamlNode::Kind::null);
}

TEST(YamlTree, resolves_aliases_and_merge_keys) {
  const YamlNode root = tree("base: &b {x: 1, y: 2}\nuse:\n  y: 3\n  <<: *b\nlist: [*b]\n");
  const YamlNode& use = root.entries[1].value;
  ASSERT_EQ(use.entries.size(), 2U);
  EXPECT_EQ(use.entries[0].value.text, "3") << "what is written wins over what is merged";
  EXPECT_EQ(use.entries[1].key, "x");
  EXPECT_EQ(root.entries[2].value.items[0].entries[1].value.text, "2");
}

TEST(YamlTree, is_null_for_an_empty_file) {
  EXPECT_EQ(tree("").kind, YamlNode::Kind::null);
  EXPECT_EQ(tree("# nothing\n").kind, YamlNode::Kind::null);
}

TEST(YamlTree, says_where_another_document_begins) {
  const auto document = parse_yaml("a: 1\n---\nb: 2\n");
  ASSERT_TRUE(document.has_value());
  ASSERT_TRUE(document->second_document.has_value());
  EXPECT_EQ(document->root.entries.size(), 1U);
}

TEST(YamlTree, names_line_and_column_of_what_is_no_yaml) {
  EXPECT_EQ(problem("a: [1, 2\nb: 3\n"), "2:2: end of sequence flow not found");
  EXPECT_EQ(problem("? [a]\n: b\n"), "1:3: a key must be a plain text");
  EXPECT_EQ(problem("a:\n  <<: 5\n"), "2:3: << must name a map");
}

TEST(YamlTree, finds_the_tab_that_was_taken_for_spaces) {
  constexpr auto kTab = "a tab in the indentation";
  EXPECT_EQ(problem("a:\n\tb: 1\n"), std::string("2:1: ") + kTab);
  EXPECT_EQ(problem("a:\n\t- b\n"), std::string("2:1: ") + kTab);
  EXPECT_EQ(problem("a:\n  - b: 1\n  \t  c: 2\n"), std::string("3:3: ") + kTab);
  EXPECT_EQ(problem("a:\n  b: 1\n\tc: 2\n"), std::string("3:1: ") + kTab);
  EXPECT_EQ(parse_yaml("a:\n\tb: 1\n").error().expected, "spaces: YAML takes no tabs there");
  EXPECT_EQ(tree("a: {\n\tb: 1}\n").kind, YamlNode::Kind::map) << "where it indents nothing it does no harm";
}

TEST(YamlTree, explains_what_the_library_means) {
  EXPECT_EQ(problem("a: b: c\n"), "1:5: a \":\" is not allowed here");
  EXPECT_EQ(problem("a:\n  b: 1\n c: 2\n"), "3:2: the indentation matches no line above");
  EXPECT_EQ(problem("a: @x\n"), "1:4: no value can begin with this character");
}

TEST(YamlTree, repeats_nothing_of_the_file) {
  EXPECT_EQ(problem("a: *nobody\n"), "1:4: a \"*\" that names no \"&\" above it");
  EXPECT_EQ(problem("a: \"\\qx\"\n"), "1:7: an unknown escape sequence");
  EXPECT_EQ(problem("a: \"\\uD800\"\n"), "1:11: invalid unicode");
  EXPECT_EQ(problem("%YAML x\n---\na: 1\n"), "1:1: bad YAML version");
  EXPECT_EQ(explain_yaml("a: 1\n", {1, 4}, "something new: 1").what, "something new");
}

TEST(YamlTree, is_not_multiplied_without_end_by_aliases) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j > 0 ? ", " : "") + below;
    text += "]\n";
  }
  EXPECT_TRUE(problem(text).ends_with("aliases make the document too large"));
}

TEST(YamlTree, is_not_multiplied_by_aliases_of_a_long_text) {
  std::string text = "a: &a " + std::string(500'000, 'x') + "\nb: [*a";
  for (int i = 0; i < 100'000; ++i) text += ", *a";
  EXPECT_TRUE(problem(text + "]\n").ends_with("aliases make the document too large"));
}

TEST(YamlTree, does_not_nest_without_end) {
  EXPECT_NE(problem(std::string(100'000, '[')), "none");
  EXPECT_TRUE(problem(std::string(65, '[') + std::string(65, ']')).ends_with("nested too deeply"));
  std::string by_alias = "a0: &a0 [[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]\n";
  for (int i = 1; i < 5; ++i) {
    by_alias += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[[[[[[[[[[[[[[[[[[*a" +
                std::to_string(i - 1) + "]]]]]]]]]]]]]]]]]]]]\n";
  }
  EXPECT_TRUE(problem(by_alias).ends_with("nested too deeply"));
}

RC_GTEST_PROP(YamlTreeProperty, survives_any_text, (const std::vector<std::uint8_t>& choices)) {
  // Of the characters that mean something, so that more than errors is seen.
  constexpr std::string_view kAlphabet = "ab:-[]{}&*!|>'\"%@`#,? \n\t\\<0~";
  std::string text;
  for (const std::uint8_t choice : choices) text += kAlphabet[choice % kAlphabet.size()];
  const auto document = parse_yaml(text);
  RC_ASSERT(document.has_value() || document.error().mark.line >= 1);
}

}  // namespace
}  // namespace qmux::app
