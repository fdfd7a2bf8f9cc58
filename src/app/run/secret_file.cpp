// SPDX-License-Identifier: MIT
#include "app/run/secret_file.h"

#include <array>
#include <filesystem>
#include <span>
#include <system_error>

#include "app/files.h"
#include "base/printable.h"

namespace qmux::app {

Result<void> make_secret_file(const std::string& path, Random& random) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return {};
  std::array<std::byte, 32> secret;
  random.fill(secret);
  const std::string text = hex(secret) + "\n";
  const NewFile file{.path = path, .content = text, .mode = 0600};
  auto written = write_files(std::span(&file, 1), Existing::keep);
  // Another process that starts at the same time may have been first.
  if (!written && std::filesystem::exists(path, error)) return {};
  return written;
}

}  // namespace qmux::app
