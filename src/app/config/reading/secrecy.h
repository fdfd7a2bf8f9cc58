// SPDX-License-Identifier: MIT
//
// The parts of a configuration file that errors must not repeat. Only its place identifies the token, and a slip moves it:
// "token=x" is a key, and a line indented too far continues the value above it. Errors therefore never repeat
// - anything in the map `auth`, wherever else it also appears (aliases), except names of keys and texts plainly meant as one
//   (is_plain_key);
// - anything that follows the word "token". Belongs to one load and refers to its document.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

#include "app/config/reading/yaml_tree.h"

namespace qmux::app {

inline constexpr std::size_t kTokenBytesMin = 16;

using KeyNames = std::set<std::string, std::less<>>;

class Secrecy {
 public:
  /// `names`: of all keys that a file may hold, without the maps around them.
  Secrecy(const YamlNode& root, KeyNames names);

  /// Whether an error must not show this value.
  [[nodiscard]] bool hides(std::string_view value) const;
  /// The part of a key that an error may show: all of it, its beginning and "...", or nothing.
  [[nodiscard]] std::string shown_key(std::string_view key) const;

 private:
  void hide_in_auth(const YamlNode& auth);
  void hide_all_in(const YamlNode& node);

  KeyNames names_;
  std::unordered_set<std::string_view> hidden_;
  std::unordered_set<std::string_view> plain_keys_;  ///< of `auth`; one that is hidden as well stays hidden
};

/// Whether a key in `auth`, known or not, is plainly meant as a key and is no misplaced token: it has a value, consists of
/// lower-case letters and "_" alone, and is shorter than the shortest token.
[[nodiscard]] bool is_plain_key(const YamlEntry& entry);
/// Whether a value has absorbed a line with the token: "mtls token=x".
[[nodiscard]] bool takes_in_token(std::string_view value);
/// The name in a key that has run into its value: "token" of "token:x" and of "token=x"; otherwise all of the key.
[[nodiscard]] std::string_view name_in_key(std::string_view key);

}  // namespace qmux::app
