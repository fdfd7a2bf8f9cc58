// SPDX-License-Identifier: MIT
#pragma once

namespace qmux::app {

/// Shows a tunnel at work on this machine alone: certificates in a temporary directory, a local service, a server and a
/// client. With `keep` it stays up until SIGINT or SIGTERM. Returns the exit status; leaves nothing behind.
[[nodiscard]] int demo(bool keep);

}  // namespace qmux::app
