// SPDX-License-Identifier: MIT
//
// Functions for all sockets: options and addresses.
#pragma once

#include "base/address.h"

namespace qmux::net {

/// False where the kernel refuses (errno says why).
bool set_option(int fd, int level, int name, int value) noexcept;

/// TCP as a tunnel needs it: no delay, and urgent data in its place in the stream (RFC 6093). Accepted
/// sockets inherit it.
void set_tcp_options(int fd) noexcept;

/// The address that the socket is bound to.
[[nodiscard]] Address bound_address(int fd) noexcept;

}  // namespace qmux::net
