// SPDX-License-Identifier: MIT
#pragma once

namespace qmux::app {

/// Shows a tunnel at work on this machine alone: certificates in a temporary directory, a local service, a server and a
/// client. With `keep` it stays up until SIGINT, SIGTERM or SIGHUP. Returns the exit status; leaves nothing behind, not even
/// when nobody reads standard output any more, which ends it.
[[nodiscard]] int demo(bool keep);

}  // namespace qmux::app
