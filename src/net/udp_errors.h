// SPDX-License-Identifier: MIT
//
// How a connected UDP socket learns of packets that did not arrive: from the error of a call on it, and from the queue of
// IP_RECVERR (ip(7)), which gives the kind of ICMP message.
#pragma once

#include <optional>

#include "base/io/datagram_socket.h"

namespace qmux::net {

/// `error`: errno of a send or receive call. `none`: the error is not about the path.
[[nodiscard]] io::Unreachable unreachable_by_errno(int error) noexcept;

/// Takes one error off the queue. `none`: it is about something else, such as the size of a packet. No value: the queue is empty.
[[nodiscard]] std::optional<io::Unreachable> take_queued_error(int fd) noexcept;

}  // namespace qmux::net
