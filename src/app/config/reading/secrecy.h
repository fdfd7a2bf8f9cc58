// SPDX-License-Identifier: MIT
//
// The parts of a configuration file that errors must not repeat. Only its place identifies the secret, and a slip moves it: with
// the key "token", "token=x" is a key, and a line indented too far continues the value above it. Errors therefore never repeat
// - anything in the map that holds the secret, wherever else it also appears (aliases), except names of keys and texts plainly
//   meant as one (is_plain_key);
// - anything that follows the secret's key, in any place. Belongs to one load and refers to its document.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

#include "app/config/reading/yaml_tree.h"

namespace qmux::app {

/// Where a file holds its secret.
struct SecretKey {
  std::string_view map;       ///< at the root
  std::string_view key;       ///< in that map; lower-case
  std::size_t bytes_min = 0;  ///< length of the shortest secret
};

using KeyNames = std::set<std::string, std::less<>>;

class Secrecy {
 public:
  /// `names`: of all keys that a file may hold, without the maps around them.
  Secrecy(const YamlNode& root, const SecretKey& secret, KeyNames names);

  /// Whether an error must not show this value.
  [[nodiscard]] bool hides(std::string_view value) const;
  /// The part of a key that an error may show: all of it, its beginning and "...", or nothing.
  [[nodiscard]] std::string shown_key(std::string_view key) const;
  /// Whether a value has absorbed a line with the secret: "mtls token=x".
  [[nodiscard]] bool takes_in_secret(std::string_view value) const;
  [[nodiscard]] std::string_view secret_key() const noexcept { return secret_.key; }

 private:
  void hide_in_map(const YamlNode& map);
  void hide_all_in(const YamlNode& node);
  /// Whether a key in the map, known or not, is plainly meant as a key and is no misplaced secret: it has a value, consists of
  /// lower-case letters and "_" alone, and is shorter than the shortest secret.
  [[nodiscard]] bool is_plain_key(const YamlEntry& entry) const;
  /// The position after the secret's key; npos when it is not there.
  [[nodiscard]] std::size_t end_of_word(std::string_view text) const;

  const SecretKey secret_;
  KeyNames names_;
  std::unordered_set<std::string_view> hidden_;
  std::unordered_set<std::string_view> plain_keys_;  ///< of the map; one that is hidden as well stays hidden
};

/// The name in a key that has run into its value: "token" of "token:x" and of "token=x"; otherwise all of the key.
[[nodiscard]] std::string_view name_in_key(std::string_view key);

}  // namespace qmux::app
