// SPDX-License-Identifier: MIT
//
// The errors, warnings and notices found while a configuration is read, each with file, line, column and key. Several are kept,
// so that a user can correct a file in one go. Their number is limited, because a wrong file can have a hundred thousand. Lives
// as long as one load.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/reading/yaml_tree.h"
#include "base/result.h"

namespace qmux::app {

/// Findings of one kind: the first ones in the file, and the number of the others.
template <typename T>
class Findings {
 public:
  void add(Mark mark, const std::string& path, T what);
  [[nodiscard]] bool empty() const { return kept_.empty(); }
  /// Whether there is one for this key, or for a key in it.
  [[nodiscard]] bool any_in(std::string_view path) const;
  /// In the order of the file; several at one place in the order in which they were found. `more` makes the last entry from the
  /// number of those not kept.
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

  /// Records the place of a key. Keys are paths: "listeners[0].quic_addr"; the root is "".
  void locate(const std::string& path, Mark mark);
  /// Whether the file gives this key.
  [[nodiscard]] bool given(std::string_view path) const { return marks_.contains(path); }
  /// Whether this key, or one in it, has an error already.
  [[nodiscard]] bool failed(std::string_view path) const;

  /// At the key's place. For a missing key: at the nearest enclosing key that the file gives.
  void error(const std::string& path, std::string what, std::string expected = {});
  void error_at(Mark mark, const std::string& path, std::string what, std::string expected = {});
  void warn(const std::string& path, std::string_view what);
  void warn_at(Mark mark, const std::string& path, std::string_view what);
  /// Logged at the debug level only.
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
