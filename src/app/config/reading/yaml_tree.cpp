// SPDX-License-Identifier: MIT
#include "app/config/reading/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "app/config/reading/yaml_problem.h"

namespace qmux::app {
namespace {

// Far above any configuration. It bounds what a few nested aliases, or many of a long text, can multiply a small file into.
constexpr std::size_t kTreeBytesMax = std::size_t{16} * 1024 * 1024;
// Aliases can nest deeper than the file itself. Code that walks a tree recurses this far at most.
constexpr std::size_t kDepthMax = 64;

Mark to_mark(const YAML::Mark& mark) noexcept { return mark.is_null() ? Mark{} : Mark{mark.line + 1, mark.column + 1}; }

YamlNode node_at(YamlNode::Kind kind, const YAML::Mark& mark) {
  YamlNode node;
  node.kind = kind;
  node.mark = to_mark(mark);
  return node;
}

/// What a node takes, without those below it.
std::size_t own_bytes(const YamlNode& node) { return sizeof node + node.text.size(); }

std::size_t tree_bytes(const YamlNode& node) {
  std::size_t bytes = own_bytes(node);
  for (const YamlNode& item : node.items) bytes += tree_bytes(item);
  for (const YamlEntry& entry : node.entries) bytes += sizeof entry + entry.key.size() + tree_bytes(entry.value);
  return bytes;
}

std::size_t depth_of(const YamlNode& node) {
  std::size_t below = 0;
  for (const YamlNode& item : node.items) below = std::max(below, depth_of(item));
  for (const YamlEntry& entry : node.entries) below = std::max(below, depth_of(entry.value));
  return below + 1;
}

/// Puts the library's events together into one tree.
class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode take_root() { return std::move(root_); }
  [[nodiscard]] std::optional<Mark> started() const { return started_; }

  void OnDocumentStart(const YAML::Mark& mark) override { started_ = to_mark(mark); }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(node_at(YamlNode::Kind::null, mark), mark, anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = node_at(YamlNode::Kind::scalar, mark);
    node.text = value;
    node.quoted = tag != "?";  // the tag of a plain scalar
    add(std::move(node), mark, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw YAML::ParserException(mark, "an alias inside the node that it names");
    const YamlNode& named = found->second;
    if (open_.size() + depth_of(named) > kDepthMax) throw YAML::ParserException(mark, "nested too deeply");
    aliased_ = true;
    grow(tree_bytes(named), mark);
    YamlNode copy = named;
    copy.mark = to_mark(mark);
    add(std::move(copy), mark, YAML::NullAnchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::list, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override {
    merge(open_.back());
    close();
  }

 private:
  struct Open {
    YamlNode node;
    YAML::Mark mark;
    YAML::anchor_t anchor = YAML::NullAnchor;
    bool wants_value = false;  // a map: the last entry has its key and lacks its value
  };

  void grow(std::size_t bytes, const YAML::Mark& mark) {
    bytes_ += bytes;
    if (bytes_ <= kTreeBytesMax) return;
    throw YAML::ParserException(mark, aliased_ ? "aliases make the document too large" : "the document is too large");
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= kDepthMax) throw YAML::ParserException(mark, "nested too deeply");
    Open next;
    next.node = node_at(kind, mark);
    next.mark = mark;
    next.anchor = anchor;
    open_.push_back(std::move(next));
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.mark, done.anchor);
  }

  void add(YamlNode node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    grow(own_bytes(node), mark);
    if (anchor != YAML::NullAnchor) {
      grow(tree_bytes(node), mark);
      anchors_.insert_or_assign(anchor, node);
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.wants_value) {
      parent.node.entries.back().value = std::move(node);
      parent.wants_value = false;
    } else {
      if (node.kind != YamlNode::Kind::scalar) throw YAML::ParserException(mark, "a key must be a plain text");
      parent.node.entries.push_back({.key = std::move(node.text), .mark = node.mark, .value = {}});
      parent.wants_value = true;
    }
  }

  /// `<<: *a` and `<<: [*a, *b]`: the entries of the named maps that this map does not have itself; the earlier map wins.
  static void merge(Open& open) {
    YamlNode& map = open.node;
    std::vector<YamlEntry> written = std::move(map.entries);
    map.entries.clear();
    std::vector<YamlNode> sources;
    for (YamlEntry& entry : written) {
      if (entry.key != "<<") {
        map.entries.push_back(std::move(entry));
      } else if (entry.value.kind == YamlNode::Kind::list) {
        std::ranges::move(entry.value.items, std::back_inserter(sources));
      } else {
        sources.push_back(std::move(entry.value));
      }
    }
    if (sources.empty()) return;
    std::unordered_set<std::string> present;
    for (const YamlEntry& entry : map.entries) present.insert(entry.key);
    for (YamlNode& source : sources) {
      if (source.kind != YamlNode::Kind::map) throw YAML::ParserException(open.mark, "<< must name a map");
      for (YamlEntry& entry : source.entries) {
        if (!present.insert(entry.key).second) continue;
        map.entries.push_back(std::move(entry));
      }
    }
  }

  YamlNode root_;
  std::optional<Mark> started_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t bytes_ = 0;
  bool aliased_ = false;
};

}  // namespace

std::expected<YamlDocument, YamlProblem> parse_yaml(std::string_view text) {
  try {
    std::istringstream input{std::string(text)};
    YAML::Parser parser(input);
    TreeBuilder builder;
    YamlDocument document;
    if (parser.HandleNextDocument(builder)) document.root = builder.take_root();
    TreeBuilder rest;
    if (parser.HandleNextDocument(rest)) document.second_document = rest.started();
    return document;
  } catch (const YAML::Exception& error) {
    return std::unexpected(explain_yaml(text, to_mark(error.mark), error.msg));
  } catch (const std::exception& error) {
    return std::unexpected(YamlProblem{{}, error.what(), {}});
  }
}

}  // namespace qmux::app
