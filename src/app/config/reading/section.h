// SPDX-License-Identifier: MIT
//
// The keys of one map of a configuration file, declared and read in one place. A function names each key once, with its type,
// range and target member:
//
//   void heartbeat_keys(Section& keys, HealthConfig& health) {
//     keys.duration("heartbeat_interval", health.heartbeat_interval, 1ms, kDurationMax);
//   }
//
// Run over a file, this function reads and checks the keys. Run without a file, it lists the keys (KeyInfo) with the defaults
// that the members hold. So code, errors and reference always agree. A key that is absent, null, "" or 0 keeps its default, as in
// the Go programs, unless 0 has a meaning of its own. Lives as long as one load; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config/reading/report.h"
#include "app/config/reading/secrecy.h"
#include "app/config/reading/yaml_tree.h"
#include "base/address.h"
#include "base/secret.h"
#include "base/time.h"

namespace qmux::app {

/// One key as the reference shows it.
struct KeyInfo {
  enum class Effect { now, later, never };

  std::string path;           ///< "listeners[].quic_addr"
  std::string type;           ///< "host:port"
  std::string default_value;  ///< as written in a file; empty: none
  bool required = false;
  Effect effect = Effect::now;
};

/// The context of listing keys or of reading a file.
struct LoadContext {
  Report* report = nullptr;              ///< reading
  std::vector<KeyInfo>* list = nullptr;  ///< listing
  std::span<const KeyInfo> known;        ///< all keys of the file, to say where a misplaced one belongs
  const Secrecy* secrecy = nullptr;      ///< reading
};

class Section;
using DeclareKeys = std::function<void(Section&)>;

/// Declares the keys of the whole file.
void read_root(const YamlNode& root, const LoadContext& context, const DeclareKeys& declare);
[[nodiscard]] std::vector<KeyInfo> list_keys(const DeclareKeys& declare);

class Section {
 public:
  /// A key just declared; adds properties to it.
  class Key {
   public:
    /// The file must give it.
    Key& required();
    /// Its function does not exist yet: accepted, with a warning when it is set to anything but its default.
    Key& no_effect_yet();
    /// Tuning of the Go programs that has no counterpart here: accepted, with a notice.
    Key& no_effect();

   private:
    friend class Section;
    Key(Section& section, std::string path, bool empty, bool changed)
        : section_(section), path_(std::move(path)), empty_(empty), changed_(changed) {}

    Section& section_;
    std::string path_;
    bool empty_;    // absent, null or ""
    bool changed_;  // set, rightly, to something other than the default
  };

  Key text(std::string_view name, std::string& into, std::size_t bytes_max);
  Key file(std::string_view name, std::string& into);
  Key secret(std::string_view name, Secret& into);
  Key flag(std::string_view name, bool& into);
  Key duration(std::string_view name, Duration& into, Duration min, Duration max);
  /// Whole seconds; 0 is a valid value and means off.
  Key seconds_or_off(std::string_view name, Duration& into, std::chrono::seconds min, std::chrono::seconds max);
  /// "host:port" with a port of at least `port_min`; an empty host only when that is 0.
  Key address(std::string_view name, HostPort& into, std::uint16_t port_min);
  /// A host alone; IPv6 literals with or without brackets.
  Key host(std::string_view name, std::string& into);

  /// A whole number. 0 keeps the default when there is one and 0 is out of range.
  template <typename T>
  Key number(std::string_view name, T& into, std::uint64_t min, std::uint64_t max) {
    static_assert(std::is_unsigned_v<T>);
    std::uint64_t value = into;
    Key key = number_u64(name, value, min, std::min<std::uint64_t>(max, std::numeric_limits<T>::max()));
    into = static_cast<T>(value);
    return key;
  }

  template <typename E>
  using Choice = std::pair<std::string_view, E>;

  /// One of several words.
  template <typename E, std::size_t N>
  Key choice(std::string_view name, E& into, const Choice<E> (&choices)[N]) {
    std::string_view words[N];
    std::size_t picked = 0;
    for (std::size_t i = 0; i < N; ++i) {
      words[i] = choices[i].first;
      if (choices[i].second == into) picked = i;
    }
    Key key = word(name, picked, words);
    into = choices[picked].second;
    return key;
  }

  /// A map in this one.
  void section(std::string_view name, const DeclareKeys& declare);
  /// The same. The keys that `high` names are also accepted, with a warning, one level too high: in this map.
  void section_or_inline(std::string_view name, std::span<const std::string_view> high, const DeclareKeys& declare);

  /// A list of maps; `declare(Section&, T&)`.
  template <typename T, typename Declare>
  void list(std::string_view name, std::vector<T>& into, const Declare& declare) {
    const auto each = [&](Section& keys) { declare(keys, into.emplace_back()); };
    for_each_item(name, each);
  }

  /// The path of a key here: "listeners[0].quic_addr".
  [[nodiscard]] std::string path_of(std::string_view name) const;

 private:
  friend void read_root(const YamlNode&, const LoadContext&, const DeclareKeys&);
  friend std::vector<KeyInfo> list_keys(const DeclareKeys&);
  struct Found;

  /// The map above, and which keys may stand there.
  struct OneLevelUp {
    Section* map = nullptr;
    std::span<const std::string_view> keys;
  };

  Section(const YamlNode& node, std::string path, const LoadContext& context, OneLevelUp above)
      : node_(node), path_(std::move(path)), context_(context), above_(above) {}

  void read(const DeclareKeys& declare);
  void sub_section(std::string_view name, const DeclareKeys& declare, OneLevelUp above);
  void for_each_item(std::string_view name, const DeclareKeys& declare);
  Key number_u64(std::string_view name, std::uint64_t& into, std::uint64_t min, std::uint64_t max);
  Key word(std::string_view name, std::size_t& picked, std::span<const std::string_view> words);

  [[nodiscard]] const YamlEntry* entry(std::string_view name);
  [[nodiscard]] const YamlEntry* entry_above(std::string_view name, bool given_here);
  Found find(std::string_view name, std::string type, std::string default_value);
  Key wrong(const Found& found, std::string what, std::string expected);
  Key wrong_value(const Found& found, std::string what, std::string expected);
  void refuse_duplicates();
  void refuse_unknown();
  [[nodiscard]] std::string shown_path(std::string_view given) const;
  [[nodiscard]] std::string right_key(std::string_view given) const;
  [[nodiscard]] std::string belongs_elsewhere(std::string_view name) const;

  const YamlNode& node_;
  std::string path_;
  LoadContext context_;
  OneLevelUp above_;
  std::set<std::string_view> declared_;
};

}  // namespace qmux::app
