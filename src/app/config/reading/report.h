// SPDX-License-Identifier: MIT
//
// What is found while a configuration is read: errors, warnings and notices, each with file, line, column and key. Not the
// first one alone is kept, so that a user mends a file in one go, and not all, for a wrong file can have a hundred thousand.
// Lives as long as one load.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/reading/yaml_tree.h"
#include "base/result.h"

namespace qmux::app {

/// Findings of one kind: the first ones of the file, and how many there were after them.
template <typename T>
class Findings {
 public:
  void add(Mark mark, const std::string& path, T what);
  [[nodiscard]] bool empty() const { return kept_.empty(); }
  /// Whether there is one of this key, or of one in it.
  [[nodiscard]] bool any_in(std::string_view path) const;
  /// In the order of the file; one of more places is in the order of their finding. `more` makes the last out of the number
  /// of those not kept.
  [[nodiscard]] std::vector<T> take(T (*more)(std::size_t count));

 private:
  struct Placed {
    Mark mark;
    std::string path;
    T what;
  };
  std::vector<Placed> kept_;
  std::size_t more_ = 0;
};

class Report {
 public:
  explicit Report(std::string_view file) : file_(file) {}

  [[nodiscard]] const std::string& file() const { return file_; }

  /// Notes where a key stands. Keys are paths: "listeners[0].quic_addr"; the root is "".
  void locate(const std::string& path, Mark mark);
  /// Whether the file gives this key.
  [[nodiscard]] bool given(std::string_view path) const { return marks_.contains(path); }
  /// Whether this key, or one in it, has an error already.
  [[nodiscard]] bool failed(std::string_view path) const;

  /// At the key's place, or where it is missing from: the nearest enclosing key that the file gives.
  void error(const std::string& path, std::string what, std::string expected = {});
  void error_at(Mark mark, const std::string& path, std::string what, std::string expected = {});
  void warn(const std::string& path, std::string_view what);
  void warn_at(Mark mark, const std::string& path, std::string_view what);
  /// Worth a line to someone debugging, and to nobody else.
  void notice(const std::string& path, std::string_view what);

  [[nodiscard]] bool ok() const { return errors_.empty(); }
  /// In the order of the file: the first 20, then one that says how many more there are.
  [[nodiscard]] std::vector<Error> take_errors();
  [[nodiscard]] std::vector<std::string> take_warnings();
  [[nodiscard]] std::vector<std::string> take_notices();

 private:
  [[nodiscard]] Mark mark_of(std::string_view path) const;
  [[nodiscard]] std::string where(Mark mark, std::string_view path) const;

  std::string file_;
  std::map<std::string, Mark, std::less<>> marks_;
  Findings<Error> errors_;
  Findings<std::string> warnings_;
  Findings<std::string> notices_;
};

}  // namespace qmux::app
