// SPDX-License-Identifier: MIT
#include "app/config/reading/secrecy.h"

#include <algorithm>
#include <utility>

namespace qmux::app {
namespace {

constexpr std::string_view kBlanks = " \t\n";

}  // namespace

Secrecy::Secrecy(const YamlNode& root, const SecretKey& secret, KeyNames names)
    : secret_(secret), names_(std::move(names)) {
  for (const YamlEntry& entry : root.entries) {
    if (entry.key == secret_.map) hide_in_map(entry.value);
  }
}

std::size_t Secrecy::end_of_word(std::string_view text) const {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  const auto found = std::ranges::search(text, secret_.key, same);
  return found.empty() ? std::string_view::npos : static_cast<std::size_t>(found.end() - text.begin());
}

/// Its own keys may be shown. Deeper keys are hidden, since a map there is most likely a secret that YAML reads as one.
void Secrecy::hide_in_map(const YamlNode& map) {
  if (map.kind != YamlNode::Kind::map) return hide_all_in(map);
  for (const YamlEntry& entry : map.entries) {
    (is_plain_key(entry) ? plain_keys_ : hidden_).insert(entry.key);
    hide_all_in(entry.value);
  }
}

void Secrecy::hide_all_in(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::scalar) hidden_.insert(node.text);
  for (const YamlNode& item : node.items) hide_all_in(item);
  for (const YamlEntry& entry : node.entries) {
    hidden_.insert(entry.key);
    hide_all_in(entry.value);
  }
}

bool Secrecy::hides(std::string_view value) const {
  return hidden_.contains(value) || end_of_word(value) != std::string_view::npos;
}

std::string Secrecy::shown_key(std::string_view key) const {
  if (names_.contains(key)) return std::string(key);
  if (hidden_.contains(key)) return {};
  if (plain_keys_.contains(key)) return std::string(key);
  const std::size_t shown = std::min(name_in_key(key).size(), end_of_word(key));
  return std::string(key.substr(0, shown)) + (shown < key.size() ? "..." : "");
}

bool Secrecy::is_plain_key(const YamlEntry& entry) const {
  // Without a value it may be the part of a secret after a comma, as in "{token: a,b}".
  if (entry.value.kind == YamlNode::Kind::null) return false;
  if (entry.value.kind == YamlNode::Kind::scalar && entry.value.text.empty()) return false;
  const std::string_view key = entry.key;
  if (key.size() >= secret_.bytes_min || key.starts_with('_')) return false;
  if (!std::ranges::all_of(key, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; })) return false;
  // "tokenhush" is "token: hush" without the separator.
  const std::size_t word_end = end_of_word(key);
  return word_end == std::string_view::npos || word_end == key.size() || key[word_end] == '_';
}

bool Secrecy::takes_in_secret(std::string_view value) const {
  const std::size_t blank = value.find_first_of(kBlanks);
  if (blank == std::string_view::npos) return false;
  const std::string_view after = value.substr(blank);
  const std::size_t end = end_of_word(after);
  const std::size_t next = after.find_first_not_of(kBlanks, end);
  return end != std::string_view::npos && next != std::string_view::npos && (after[next] == '=' || after[next] == ':');
}

std::string_view name_in_key(std::string_view key) { return key.substr(0, key.find_first_of(":= ")); }

}  // namespace qmux::app
