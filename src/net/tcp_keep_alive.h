// SPDX-License-Identifier: MIT
//
// How the far end of a TCP connection that is gone without a word is noticed.
#pragma once

#include "base/time.h"

namespace qmux::net {

/// The kernel asks a far end that has been silent for `idle`, and again after each further `idle`, and takes it for gone after
/// limits::kTcpProbesMax. Whole seconds, 1 to 32,767; never while something waits to be acknowledged (tcp(7)).
void set_tcp_keep_alive(int fd, Duration idle) noexcept;

/// Nothing has come from the far end for `silence`, and it has been asked more than once since: by retransmissions, or by probes
/// of its closed window. TCP_USER_TIMEOUT is no substitute: since Linux 5.11 it also ends a connection whose far end
/// acknowledges every such probe, so a reader that pauses.
[[nodiscard]] bool tcp_is_unanswered(int fd, Duration silence) noexcept;

}  // namespace qmux::net
