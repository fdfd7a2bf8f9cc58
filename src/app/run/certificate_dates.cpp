// SPDX-License-Identifier: MIT
#include "app/run/certificate_dates.h"

#include <fmt/chrono.h>

#include <chrono>
#include <ctime>

namespace qmux::app {
namespace {

constexpr std::chrono::seconds kWarnedBefore = std::chrono::days(14);

std::string date_text(std::int64_t unix_seconds) {
  // Not std::chrono's system clock: its nanoseconds end in 2262.
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

}  // namespace

std::optional<DateTrouble> date_trouble(const quic::Validity& validity, std::int64_t now) {
  if (now < validity.not_before) return DateTrouble{"certificate not valid yet", date_text(validity.not_before)};
  if (now > validity.not_after) return DateTrouble{"certificate expired", date_text(validity.not_after)};
  if (now + kWarnedBefore.count() > validity.not_after) {
    return DateTrouble{"certificate expires soon", date_text(validity.not_after)};
  }
  return std::nullopt;
}

}  // namespace qmux::app
