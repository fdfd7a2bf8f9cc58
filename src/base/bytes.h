// SPDX-License-Identifier: MIT
//
// Views of bytes, and big-endian integers in them (network order, RFC 1700). A view owns nothing.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace qmux {

using ConstBytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

[[nodiscard]] inline ConstBytes as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

[[nodiscard]] inline std::string_view as_text(ConstBytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline const std::uint8_t* as_octets(ConstBytes bytes) noexcept {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

[[nodiscard]] inline std::uint8_t* as_octets(MutableBytes bytes) noexcept {
  return reinterpret_cast<std::uint8_t*>(bytes.data());
}

/// Copies all of `from` to the beginning of `to`, which holds at least as much; they do not overlap. (With libstdc++ 12
/// std::ranges::copy goes byte by byte where the source is const.)
inline void copy_bytes(ConstBytes from, MutableBytes to) noexcept {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

/// Between the processor's order and network order. (g++ 12 does not make one instruction of a loop over the bytes.)
template <std::unsigned_integral T>
[[nodiscard]] constexpr T big_endian(T value) noexcept {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  return value;
}

/// Reads a big-endian integer from the first bytes; `from` holds at least sizeof(T).
template <std::unsigned_integral T>
[[nodiscard]] T read_be(ConstBytes from) noexcept {
  T value;
  std::memcpy(&value, from.data(), sizeof value);
  return big_endian(value);
}

/// Writes a big-endian integer into the first bytes; `to` holds at least sizeof(T).
template <std::unsigned_integral T>
void write_be(MutableBytes to, T value) noexcept {
  value = big_endian(value);
  std::memcpy(to.data(), &value, sizeof value);
}

}  // namespace qmux
