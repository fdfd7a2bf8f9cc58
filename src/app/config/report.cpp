// SPDX-License-Identifier: MIT
#include "app/config/report.h"

#include <algorithm>
#include <utility>

namespace qmux::app {
namespace {

/// "a[0].b" lies in "a[0]" and in "a", and the other way round nothing does.
bool lies_in(std::string_view path, std::string_view outer) {
  if (!path.starts_with(outer)) return false;
  return outer.empty() || path.size() == outer.size() || path[outer.size()] == '.' || path[outer.size()] == '[';
}

bool before(Mark a, Mark b) { return std::pair(a.line, a.column) < std::pair(b.line, b.column); }

/// Keeps the order of the file; what has one place stays in the order of its finding.
template <typename Placed>
void add_in_order(std::vector<Placed>& all, Placed one) {
  const auto at = std::ranges::upper_bound(all, one.mark, before, &Placed::mark);
  all.insert(at, std::move(one));
}

template <typename Placed>
auto taken(std::vector<Placed>& all) {
  std::vector<decltype(Placed::what)> taken;
  taken.reserve(all.size());
  for (Placed& one : all) taken.push_back(std::move(one.what));
  all.clear();
  return taken;
}

}  // namespace

void Report::locate(const std::string& path, Mark mark) { marks_.insert_or_assign(path, mark); }

bool Report::failed(std::string_view path) const {
  return std::ranges::any_of(errors_, [path](const auto& error) { return lies_in(error.path, path); });
}

Mark Report::mark_of(std::string_view path) const {
  while (true) {
    if (const auto found = marks_.find(path); found != marks_.end()) return found->second;
    if (path.empty()) return {};
    const auto cut = path.find_last_of(".[");
    path = path.substr(0, cut == std::string_view::npos ? 0 : cut);
  }
}

std::string Report::where(Mark mark, std::string_view path) const {
  std::string text = file_ + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column);
  if (!path.empty()) text.append(": ").append(path);
  return text;
}

void Report::error(const std::string& path, std::string what, std::string expected) {
  error_at(mark_of(path), path, std::move(what), std::move(expected));
}

void Report::error_at(Mark mark, const std::string& path, std::string what, std::string expected) {
  add_in_order(errors_, {mark, path, Error{std::move(what), where(mark, path), std::move(expected)}});
}

void Report::warn(const std::string& path, std::string_view what) { warn_at(mark_of(path), path, what); }

void Report::warn_at(Mark mark, const std::string& path, std::string_view what) {
  add_in_order(warnings_, {mark, path, where(mark, path).append(": ").append(what)});
}

void Report::notice(const std::string& path, std::string_view what) {
  const Mark mark = mark_of(path);
  add_in_order(notices_, {mark, path, where(mark, path).append(": ").append(what)});
}

std::vector<Error> Report::take_errors() { return taken(errors_); }
std::vector<std::string> Report::take_warnings() { return taken(warnings_); }
std::vector<std::string> Report::take_notices() { return taken(notices_); }

}  // namespace qmux::app
