// SPDX-License-Identifier: MIT
//
// A word at start about a certificate of our own that peers refuse, or soon will, because of its dates. It is a warning: a
// clock may be wrong, and connections that stand do not end by it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "quic/credentials.h"

namespace qmux::app {

/// What is wrong with the dates at `now` (seconds since 1970), as an event of the log, and the date it turns on.
struct DateTrouble {
  std::string event;
  std::string date;  ///< RFC 3339, UTC
};
/// Nothing while the certificate is good for another 14 days.
[[nodiscard]] std::optional<DateTrouble> date_trouble(const quic::Validity& validity, std::int64_t now);

}  // namespace qmux::app
