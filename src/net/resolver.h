// SPDX-License-Identifier: MIT
//
// Looks a host up with the system's resolver (getaddrinfo(3)). So /etc/hosts, DNS and the order of RFC 6724 apply as in every
// other program.
#pragma once

#include <memory>
#include <vector>

#include "base/io/event_loop.h"

namespace qmux::net {

class AsioEventLoop;

/// io::EventLoop::resolve().
[[nodiscard]] std::unique_ptr<io::Resolution> look_up(AsioEventLoop& loop, const HostPort& host,
                                                      io::EventLoop::Resolved done);

/// The same, blocking: for hosts that are resolved once, before the loops run. An empty host gives the wildcard address: [::]
/// where the system has IPv6, which takes IPv4 as well, else 0.0.0.0.
[[nodiscard]] Result<std::vector<Address>> look_up_now(const HostPort& host);

}  // namespace qmux::net
