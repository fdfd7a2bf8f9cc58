// SPDX-License-Identifier: MIT
//
// New files, whole or not at all: written beside their place under another name, then moved there in one step. Nobody ever
// sees half a file, and a file that is there already is not touched unless that is asked for.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace qmux::app {

enum class Existing { keep, replace };

struct NewFile {
  std::string path;
  std::string_view content;
  mode_t mode = 0644;  ///< exactly this, whatever the umask
};

/// Writes all of them, or none: with Existing::keep, nothing is written when one of the paths exists, even when it comes
/// into being meanwhile. The directories exist.
[[nodiscard]] Result<void> write_files(std::span<const NewFile> files, Existing existing);

/// What write_files() with Existing::keep would fail for at that path, as far as can be found out without writing.
[[nodiscard]] Result<void> check_place(const std::string& path);

/// The whole content of a file, of at most `bytes_max`.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

/// Makes the directory and those above it; fine when it is there.
[[nodiscard]] Result<void> make_directories(const std::string& path, mode_t mode);

}  // namespace qmux::app
