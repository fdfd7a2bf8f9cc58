// SPDX-License-Identifier: MIT
//
// Writes new files completely or not at all: first under a temporary name beside the target, then moved there in one step. So no
// reader sees half a file. An existing file is not replaced unless requested.
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

/// Writes all files or none. With Existing::keep nothing is written when one of the paths exists, even when it is created
/// meanwhile. The directories must exist.
[[nodiscard]] Result<void> write_files(std::span<const NewFile> files, Existing existing);

/// The error that write_files() with Existing::keep would give at that path, as far as it can be known without writing.
[[nodiscard]] Result<void> check_place(const std::string& path);

/// The whole content of a file, of at most `bytes_max`.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

/// Makes the directory and those above it. An existing directory is no error.
[[nodiscard]] Result<void> make_directories(const std::string& path, mode_t mode);

}  // namespace qmux::app
