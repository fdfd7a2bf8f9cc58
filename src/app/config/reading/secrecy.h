// SPDX-License-Identifier: MIT
//
// What of a configuration file must not be repeated in errors. The token is told by its place alone, and a slip takes it
// elsewhere: "token=x" is a key, and a line indented too far goes on with the value above it. So nothing is repeated that the
// map `auth` holds, wherever else it stands too (aliases), but for names of keys and what is plainly meant as one
// (is_plain_key); nor what follows the word "token".
// Belongs to one load and sees into its document.
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
  /// `names`: of all keys that a file may hold, without the maps that they stand in.
  Secrecy(const YamlNode& root, KeyNames names);

  /// Whether an error must do without this value.
  [[nodiscard]] bool hides(std::string_view value) const;
  /// As much of a key as an error may name: all of it, its beginning and "...", or nothing.
  [[nodiscard]] std::string shown_key(std::string_view key) const;

 private:
  void hide_in_auth(const YamlNode& auth);
  void hide_all_in(const YamlNode& node);

  KeyNames names_;
  std::unordered_set<std::string_view> hidden_;
  std::unordered_set<std::string_view> plain_keys_;  ///< of `auth`; one that is hidden as well stays hidden
};

/// Whether a key in `auth`, known or not, is plainly meant as a key and no token that slipped there: it has a value, consists of
/// lower-case letters and "_" alone, and is shorter than the shortest token.
[[nodiscard]] bool is_plain_key(const YamlEntry& entry);
/// Whether a value has taken in a line with the token: "mtls token=x".
[[nodiscard]] bool takes_in_token(std::string_view value);
/// The name in a key that has run into its value: "token" of "token:x" and of "token=x"; otherwise all of the key.
[[nodiscard]] std::string_view name_in_key(std::string_view key);

}  // namespace qmux::app
