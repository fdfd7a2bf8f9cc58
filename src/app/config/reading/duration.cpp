// SPDX-License-Identifier: MIT
#include "app/config/reading/duration.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

namespace qmux::app {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};

// Two characters serve as the "µ" of microseconds: U+00B5 and U+03BC.
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1'000},
                                      {"\u00b5s", 1'000},
                                      {"\u03bcs", 1'000},
                                      {"ms", 1'000'000},
                                      {"s", 1'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"h", 3'600'000'000'000}}};

constexpr auto kForm = "a number with a unit, such as 300ms, 1.5h or 1h15m30s (units ns us ms s m h)";
// The magnitude of the smallest Duration, one more than that of the largest.
constexpr std::uint64_t kMagnitudeMax = std::uint64_t{1} << 63U;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::optional<std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product) || product > kMagnitudeMax) return std::nullopt;
  return product;
}

std::optional<std::uint64_t> add(std::uint64_t a, std::uint64_t b) noexcept {
  if (b > kMagnitudeMax || a > kMagnitudeMax - b) return std::nullopt;
  return a + b;
}

/// Takes a run of digits off the front; nothing when it passes kMagnitudeMax.
std::optional<std::uint64_t> take_whole(std::string_view& rest) noexcept {
  std::uint64_t value = 0;
  while (!rest.empty() && is_digit(rest.front())) {
    const auto tens = multiply(value, 10);
    const auto sum = tens ? add(*tens, static_cast<std::uint64_t>(rest.front() - '0')) : std::nullopt;
    if (!sum) return std::nullopt;
    value = *sum;
    rest.remove_prefix(1);
  }
  return value;
}

/// The digits after the point, as a value out of `scale`; digits beyond what 64 bits hold are finer than a nanosecond of
/// any unit by far and are skipped.
struct Fraction {
  std::uint64_t value = 0;
  std::uint64_t scale = 1;
};

Fraction take_fraction(std::string_view& rest) noexcept {
  Fraction fraction;
  while (!rest.empty() && is_digit(rest.front())) {
    if (fraction.scale <= 1'000'000'000'000'000'000 / 10) {
      fraction.value = fraction.value * 10 + static_cast<std::uint64_t>(rest.front() - '0');
      fraction.scale *= 10;
    }
    rest.remove_prefix(1);
  }
  return fraction;
}

std::uint64_t nanoseconds_of(const Fraction& fraction, std::uint64_t unit) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(fraction.value) * unit / fraction.scale);
}

const Unit* take_unit(std::string_view& rest) noexcept {
  std::size_t length = 0;
  while (length < rest.size() && rest[length] != '.' && !is_digit(rest[length])) ++length;
  const std::string_view name = rest.substr(0, length);
  for (const Unit& unit : kUnits) {
    if (unit.name == name) {
      rest.remove_prefix(length);
      return &unit;
    }
  }
  return nullptr;
}

std::unexpected<Error> not_a_duration(std::string_view text) {
  return fail("\"" + std::string(text) + "\" is not a duration", {}, kForm);
}

std::unexpected<Error> too_long(std::string_view text) {
  return fail("the duration \"" + std::string(text) + "\" is too long", {}, "at most 2562047h");
}

std::string trimmed_fraction(std::uint64_t whole, std::uint64_t part, int digits, std::string_view unit) {
  std::string text = std::to_string(whole);
  if (part != 0) {
    std::string decimals = std::to_string(part);
    decimals.insert(0, static_cast<std::size_t>(digits) - decimals.size(), '0');
    decimals.erase(decimals.find_last_not_of('0') + 1);
    text += "." + decimals;
  }
  return text.append(unit);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return Duration::zero();
  if (rest.empty()) return not_a_duration(text);

  std::uint64_t total = 0;
  while (!rest.empty()) {
    const std::size_t before = rest.size();
    const auto whole = take_whole(rest);
    if (!whole) return too_long(text);
    bool any_digit = rest.size() != before;
    Fraction fraction;
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      const std::size_t after_point = rest.size();
      fraction = take_fraction(rest);
      any_digit = any_digit || rest.size() != after_point;
    }
    if (!any_digit) return not_a_duration(text);
    if (rest.empty()) return fail("the duration \"" + std::string(text) + "\" has no unit", {}, kForm);
    const Unit* unit = take_unit(rest);
    if (unit == nullptr) return not_a_duration(text);

    const auto scaled = multiply(*whole, unit->nanoseconds);
    const auto part = scaled ? add(*scaled, nanoseconds_of(fraction, unit->nanoseconds)) : std::nullopt;
    const auto sum = part ? add(total, *part) : std::nullopt;
    if (!sum) return too_long(text);
    total = *sum;
  }
  if (total == kMagnitudeMax) {
    if (negative) return Duration::min();
    return too_long(text);
  }
  const auto count = static_cast<std::int64_t>(total);
  return Duration(negative ? -count : count);
}

std::string duration_text(Duration value) {
  if (value == Duration::zero()) return "0s";
  std::string text;
  auto left = static_cast<std::uint64_t>(value.count());
  if (value < Duration::zero()) {
    text = "-";
    left = -left;
  }
  if (left < 1'000) return text + std::to_string(left) + "ns";
  if (left < 1'000'000) return text + trimmed_fraction(left / 1'000, left % 1'000, 3, "us");
  if (left < 1'000'000'000) return text + trimmed_fraction(left / 1'000'000, left % 1'000'000, 6, "ms");

  constexpr std::uint64_t kHour = 3'600'000'000'000;
  constexpr std::uint64_t kMinute = 60'000'000'000;
  constexpr std::uint64_t kSecond = 1'000'000'000;
  if (left >= kHour) text += std::to_string(left / kHour) + "h";
  if (left % kHour >= kMinute) text += std::to_string(left % kHour / kMinute) + "m";
  if (left % kMinute != 0) text += trimmed_fraction(left % kMinute / kSecond, left % kSecond, 9, "s");
  return text;
}

}  // namespace qmux::app
