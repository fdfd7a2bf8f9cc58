// SPDX-License-Identifier: MIT
#include "app/config/reading/report.h"

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

std::string and_more(std::size_t count) { return "and " + std::to_string(count) + " more"; }
Error and_more_errors(std::size_t count) { return {.what = and_more(count), .where = {}, .expected = {}}; }

}  // namespace

template <typename T>
void Findings<T>::add(Mark mark, const std::string& path, T what) {
  constexpr std::size_t kKept = 20;
  const auto at = std::ranges::upper_bound(kept_, mark, before, &Placed::mark);
  kept_.insert(at, {mark, path, std::move(what)});
  if (kept_.size() <= kKept) return;
  kept_.pop_back();
  ++more_;
}

template <typename T>
bool Findings<T>::any_in(std::string_view path) const {
  return std::ranges::any_of(kept_, [path](const Placed& placed) { return lies_in(placed.path, path); });
}

template <typename T>
std::vector<T> Findings<T>::take(T (*more)(std::size_t count)) {
  std::vector<T> taken;
  taken.reserve(kept_.size() + 1);
  for (Placed& placed : kept_) taken.push_back(std::move(placed.what));
  if (more_ > 0) taken.push_back(more(more_));
  *this = {};
  return taken;
}

void Report::locate(const std::string& path, Mark mark) { marks_.insert_or_assign(path, mark); }

bool Report::failed(std::string_view path) const { return errors_.any_in(path); }

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
  errors_.add(mark, path, Error{std::move(what), where(mark, path), std::move(expected)});
}

void Report::warn(const std::string& path, std::string_view what) { warn_at(mark_of(path), path, what); }

void Report::warn_at(Mark mark, const std::string& path, std::string_view what) {
  warnings_.add(mark, path, where(mark, path).append(": ").append(what));
}

void Report::notice(const std::string& path, std::string_view what) {
  const Mark mark = mark_of(path);
  notices_.add(mark, path, where(mark, path).append(": ").append(what));
}

std::vector<Error> Report::take_errors() { return errors_.take(and_more_errors); }
std::vector<std::string> Report::take_warnings() { return warnings_.take(and_more); }
std::vector<std::string> Report::take_notices() { return notices_.take(and_more); }

}  // namespace qmux::app
