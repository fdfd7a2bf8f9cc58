// SPDX-License-Identifier: MIT
#include "net/file_descriptor.h"

#include <cctype>
#include <system_error>

namespace qmux::net {

std::string errno_text(int code) {
  std::string text = std::generic_category().message(code);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace qmux::net
