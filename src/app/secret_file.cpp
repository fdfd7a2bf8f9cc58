// SPDX-License-Identifier: MIT
#include "app/secret_file.h"

#include <array>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>

#include "app/files.h"

namespace qmux::app {

Result<void> make_secret_file(const std::string& path, Random& random) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return {};
  std::array<std::byte, 32> secret;
  random.fill(secret);
  std::string text;
  for (const std::byte byte : secret) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  text += '\n';
  const NewFile file{.path = path, .content = text, .mode = 0600};
  auto written = write_files(std::span(&file, 1), Existing::keep);
  // Another process that starts at the same time may have been first.
  if (!written && std::filesystem::exists(path, error)) return {};
  return written;
}

}  // namespace qmux::app
