// SPDX-License-Identifier: MIT
#include "base/printable.h"

#include <fmt/format.h>

#include <iterator>

namespace qmux {
namespace {

constexpr unsigned char kDelete = 0x7f;
constexpr unsigned char kC1Lead = 0xc2;  // of U+0080 to U+00BF in UTF-8; terminals interpret those up to U+009F

unsigned char octet(std::string_view text, std::size_t index) {
  return index < text.size() ? static_cast<unsigned char>(text[index]) : 0;
}

}  // namespace

void append_printable(std::string& out, std::string_view text, std::string_view quoted) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = octet(text, i);
    const unsigned char next = octet(text, i + 1);
    if (c < 0x20 || c == kDelete) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else if (c == kC1Lead && next >= 0x80 && next < 0xa0) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", next);
      ++i;
    } else {
      if (quoted.contains(text[i])) out += '\\';
      out += text[i];
    }
  }
}

std::string printable(std::string_view text) {
  std::string out;
  append_printable(out, text);
  return out;
}

std::string hex(ConstBytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

std::string shown(std::string_view text, std::size_t bytes_max) {
  std::string out(text.substr(0, bytes_max));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (text.size() > bytes_max) out += "...";
  return out;
}

}  // namespace qmux
