// SPDX-License-Identifier: MIT
#include "app/config/reading/section.h"

#include <algorithm>
#include <unordered_map>

#include "app/config/reading/nearest.h"

namespace qmux::app {
namespace {

const YamlNode kNothing{};
constexpr std::size_t kListedKeysMax = 16;  // keys in one line, before it says less than it hides

std::string_view kind_name(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return "a single value";
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::map:
      return "a map of keys";
  }
  return {};
}

std::string joined(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

}  // namespace

void read_root(const YamlNode& root, const LoadContext& context, const DeclareKeys& declare) {
  Section(root, {}, context, {}).read(declare);
}

std::vector<KeyInfo> list_keys(const DeclareKeys& declare) {
  std::vector<KeyInfo> keys;
  LoadContext context;
  context.list = &keys;
  Section(kNothing, {}, context, {}).read(declare);
  return keys;
}

std::string Section::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

void Section::read(const DeclareKeys& declare) {
  if (context_.list != nullptr) {
    declare(*this);
    return;
  }
  if (node_.kind != YamlNode::Kind::map && node_.kind != YamlNode::Kind::null) {
    context_.report->error_at(node_.mark, path_, "is " + std::string(kind_name(node_.kind)), "a map of keys");
    return;
  }
  refuse_duplicates();
  declare(*this);
  refuse_unknown();
}

void Section::section(std::string_view name, const DeclareKeys& declare) { sub_section(name, declare, {}); }

void Section::section_or_inline(std::string_view name, std::span<const std::string_view> high,
                                const DeclareKeys& declare) {
  sub_section(name, declare, {this, high});
}

void Section::sub_section(std::string_view name, const DeclareKeys& declare, OneLevelUp above) {
  const YamlEntry* found = entry(name);
  Section(found != nullptr ? found->value : kNothing, path_of(name), context_, above).read(declare);
}

void Section::for_each_item(std::string_view name, const DeclareKeys& declare) {
  const std::string path = path_of(name);
  if (context_.list != nullptr) {
    Section(kNothing, path + "[]", context_, {}).read(declare);
    return;
  }
  const YamlEntry* found = entry(name);
  if (found == nullptr || found->value.kind == YamlNode::Kind::null) return;
  if (found->value.kind != YamlNode::Kind::list) {
    context_.report->error(path, "is " + std::string(kind_name(found->value.kind)),
                           "a list, each item beginning with \"- \"");
    return;
  }
  for (std::size_t i = 0; i < found->value.items.size(); ++i) {
    const YamlNode& item = found->value.items[i];
    const std::string item_path = path + "[" + std::to_string(i) + "]";
    context_.report->locate(item_path, item.mark);
    Section(item, item_path, context_, {}).read(declare);
  }
}

/// Marks the name as known here and finds it in the file: the first one if there are several.
const YamlEntry* Section::entry(std::string_view name) {
  declared_.insert(name);
  const auto own = std::ranges::find(node_.entries, name, &YamlEntry::key);
  const YamlEntry* found = own != node_.entries.end() ? &*own : nullptr;
  if (const YamlEntry* high = entry_above(name, found != nullptr); found == nullptr) found = high;
  if (found != nullptr && context_.report != nullptr) context_.report->locate(path_of(name), found->mark);
  return found;
}

/// The same in the map above, with a warning, where the key may stand there.
const YamlEntry* Section::entry_above(std::string_view name, bool given_here) {
  if (context_.report == nullptr || std::ranges::find(above_.keys, name) == above_.keys.end()) return nullptr;
  const YamlEntry* high = above_.map->entry(name);
  if (high == nullptr) return nullptr;
  context_.report->warn_at(
      high->mark, above_.map->path_of(name),
      "belongs in " + path_of(name) + (given_here ? ", which is given too: ignored" : "; read as if it were there"));
  return high;
}

void Section::refuse_duplicates() {
  std::unordered_map<std::string_view, int> line_of;
  for (const YamlEntry& given : node_.entries) {
    const auto [first, is_new] = line_of.emplace(given.key, given.mark.line);
    if (is_new) continue;
    context_.report->error_at(given.mark, shown_path(given.key),
                              "given twice, first on line " + std::to_string(first->second), "one of the two");
  }
}

void Section::refuse_unknown() {
  for (const YamlEntry& given : node_.entries) {
    if (declared_.contains(given.key)) continue;
    const bool shown = context_.secrecy->shown_key(given.key) == given.key;
    context_.report->error_at(given.mark, shown_path(given.key),
                              shown ? "unknown key" : "unknown key, not shown in full as it may hold a secret",
                              right_key(given.key));
  }
}

/// The path of a key in the file, known or not, as far as an error may show it.
std::string Section::shown_path(std::string_view given) const {
  const std::string key = context_.secrecy->shown_key(given);
  return key.empty() ? path_ : path_of(key);
}

/// What would be right in place of an unknown key. Empty when no name is near and there are too many keys to list.
std::string Section::right_key(std::string_view given) const {
  const std::string_view name = name_in_key(given);
  if (declared_.contains(name)) return "\"" + std::string(name) + ": ...\", with a blank after the colon";
  const std::vector<std::string_view> names(declared_.begin(), declared_.end());
  std::string right(nearest_name(given, names));
  if (right.empty()) right = belongs_elsewhere(name);
  if (right.empty() && names.size() <= kListedKeysMax) right = "one of " + joined(names);
  return right;
}

/// The path of a key of the same name in another map; empty when there is none.
std::string Section::belongs_elsewhere(std::string_view name) const {
  const std::string ending = "." + std::string(name);
  for (const KeyInfo& key : context_.known) {
    if (key.path == name || key.path.ends_with(ending)) return key.path;
  }
  return {};
}

Section::Key& Section::Key::required() {
  if (section_.context_.list != nullptr) {
    section_.context_.list->back().required = true;
  } else if (empty_ && !section_.context_.report->failed(path_)) {
    section_.context_.report->error(path_, "is required");
  }
  return *this;
}

Section::Key& Section::Key::no_effect_yet() {
  if (section_.context_.list != nullptr) {
    section_.context_.list->back().effect = KeyInfo::Effect::later;
  } else if (changed_) {
    section_.context_.report->warn(path_, "has no effect yet");
  }
  return *this;
}

Section::Key& Section::Key::no_effect() {
  if (section_.context_.list != nullptr) {
    section_.context_.list->back().effect = KeyInfo::Effect::never;
  } else if (changed_) {
    section_.context_.report->notice(path_, "has no effect in this program");
  }
  return *this;
}

}  // namespace qmux::app
