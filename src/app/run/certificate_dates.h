// SPDX-License-Identifier: MIT
//
// Warns at start about an own certificate that peers refuse, or soon will refuse, because of its dates. It is only a warning: a
// clock may be wrong, and established connections do not end because of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "quic/credentials.h"

namespace qmux::app {

/// What is wrong with the dates at `now` (seconds since 1970), as an event of the log, and the date concerned.
struct DateTrouble {
  std::string event;
  std::string date;  ///< RFC 3339, UTC
};
/// Nothing while the certificate is valid for another 14 days.
[[nodiscard]] std::optional<DateTrouble> date_trouble(const quic::Validity& validity, std::int64_t now);

}  // namespace qmux::app
