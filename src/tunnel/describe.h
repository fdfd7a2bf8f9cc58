// SPDX-License-Identifier: MIT
//
// Events of the layer below, in words for the log.
#pragma once

#include <string>
#include <string_view>

#include "quic/close_cause.h"
#include "tunnel/relay.h"

namespace qmux::tunnel {

/// "closed by the peer: server is stopping"
[[nodiscard]] std::string describe(const quic::CloseCause& cause);
/// "complete", "socket reset"
[[nodiscard]] std::string_view describe(RelayEnd::Cause cause) noexcept;

}  // namespace qmux::tunnel
