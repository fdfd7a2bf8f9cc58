// SPDX-License-Identifier: MIT
//
// Detects a TCP far end that has vanished silently.
#pragma once

#include "base/time.h"

namespace qmux::net {

/// The kernel probes a far end that has been silent for `idle`, and again after each further `idle`. After limits::kTcpProbesMax
/// unanswered probes it considers the far end dead. Whole seconds, 1 to 32,767. No probe is sent while data waits to be
/// acknowledged (tcp(7)).
void set_tcp_keep_alive(int fd, Duration idle) noexcept;

/// Whether nothing has come from the far end for `silence`, although it was probed more than once since: by retransmissions, or
/// by probes of its closed window. TCP_USER_TIMEOUT is no substitute: since Linux 5.11 it also ends a connection whose far end
/// acknowledges every such probe, such as a reader that pauses.
[[nodiscard]] bool tcp_is_unanswered(int fd, Duration silence) noexcept;

}  // namespace qmux::net
