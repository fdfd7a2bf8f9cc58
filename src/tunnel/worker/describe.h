// SPDX-License-Identifier: MIT
//
// Texts of the lower layers' events for the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/io/datagram_socket.h"
#include "quic/close_cause.h"
#include "tunnel/relay/relay.h"

namespace qmux::tunnel {

enum class Peer : std::uint8_t { client, server };

/// "closed by the server: server is stopping". `peer`: the role of the other end.
[[nodiscard]] std::string describe(const quic::CloseCause& cause, Peer peer);
/// "no program listens on that UDP port"
[[nodiscard]] std::string_view describe(io::Unreachable why) noexcept;
/// "complete", "socket reset"
[[nodiscard]] std::string_view describe(RelayEnd::Cause cause) noexcept;

}  // namespace qmux::tunnel
