// SPDX-License-Identifier: MIT
//
// What commands print. Texts may hold what a file or a command line holds: control characters in them are shown, not obeyed.
#pragma once

#include <string_view>

namespace qmux::app {

/// To standard output, what was asked for: one line.
void say(std::string_view line);
/// To standard error, what is wrong: one line.
void complain(std::string_view line);
/// The same of several lines, each ending with a line feed.
void say_lines(std::string_view lines);
void complain_lines(std::string_view lines);

/// Whether all that was said, by whomever, has left the process. Complains when not.
[[nodiscard]] bool everything_said();

}  // namespace qmux::app
