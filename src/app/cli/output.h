// SPDX-License-Identifier: MIT
//
// What commands print. A text may come from a file or a command line: its control characters are printed as code points.
#pragma once

#include <string_view>

namespace qmux::app {

/// Prints a result to standard output: one line.
void say(std::string_view line);
/// Prints an error to standard error: one line.
void complain(std::string_view line);
/// The same of several lines, each ending with a line feed.
void say_lines(std::string_view lines);
void complain_lines(std::string_view lines);

/// Whether all output of the process, from any code, was written. If not, prints an error.
[[nodiscard]] bool everything_said();

}  // namespace qmux::app
