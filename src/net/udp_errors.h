// SPDX-License-Identifier: MIT
//
// What a connected UDP socket hears of packets that did not arrive: the error of a call on it, and the queue of IP_RECVERR
// (ip(7)), which says what kind of ICMP message was behind it.
#pragma once

#include <optional>

#include "base/io/datagram_socket.h"

namespace qmux::net {

/// `error`: errno of a send or receive call. `none`: it says nothing about the way.
[[nodiscard]] io::Unreachable unreachable_by_errno(int error) noexcept;

/// Takes one error off the queue; `none` when it is about something else, such as the size of a packet. Nothing: the queue is
/// empty.
[[nodiscard]] std::optional<io::Unreachable> take_queued_error(int fd) noexcept;

}  // namespace qmux::net
