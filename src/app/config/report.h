// SPDX-License-Identifier: MIT
//
// What is found while a configuration is read: errors, warnings and notices, each with file, line, column and key. All of
// them are kept, so that a user mends a file in one go. Lives as long as one load.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/yaml_tree.h"
#include "base/result.h"

namespace qmux::app {

class Report {
 public:
  explicit Report(std::string_view file) : file_(file) {}

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
  /// In the order of the file.
  [[nodiscard]] std::vector<Error> take_errors();
  [[nodiscard]] std::vector<std::string> take_warnings();
  [[nodiscard]] std::vector<std::string> take_notices();

 private:
  template <typename T>
  struct Placed {
    Mark mark;
    std::string path;
    T what;
  };

  [[nodiscard]] Mark mark_of(std::string_view path) const;
  [[nodiscard]] std::string where(Mark mark, std::string_view path) const;

  std::string file_;
  std::map<std::string, Mark, std::less<>> marks_;
  std::vector<Placed<Error>> errors_;
  std::vector<Placed<std::string>> warnings_;
  std::vector<Placed<std::string>> notices_;
};

}  // namespace qmux::app
