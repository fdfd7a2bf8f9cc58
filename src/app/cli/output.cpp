// SPDX-License-Identifier: MIT
#include "app/cli/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "base/printable.h"

namespace qmux::app {
namespace {

void print(std::FILE* file, std::string_view line) { std::fputs((printable(line) + "\n").c_str(), file); }

void print_lines(std::FILE* file, std::string_view lines) {
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size() - 1);
    print(file, lines.substr(0, end));
    lines.remove_prefix(end + 1);
  }
}

}  // namespace

void say(std::string_view line) { print(stdout, line); }
void complain(std::string_view line) { print(stderr, line); }
void say_lines(std::string_view lines) { print_lines(stdout, lines); }
void complain_lines(std::string_view lines) { print_lines(stderr, lines); }

bool everything_said() {
  const bool failed_before = std::ferror(stdout) != 0;
  errno = 0;
  if (std::fflush(stdout) == 0 && !failed_before) return true;
  const std::string reason = errno != 0 ? ": " + std::generic_category().message(errno) : std::string();
  complain("qmux: cannot write to standard output" + reason);
  return false;
}

}  // namespace qmux::app
