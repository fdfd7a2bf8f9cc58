// SPDX-License-Identifier: MIT
#pragma once

namespace qmux::app {

/// Shows a tunnel at work on this machine alone: certificates in a temporary directory, a local service, a server and a
/// client. With `keep` it stays up until SIGINT, SIGTERM or SIGHUP. A closed standard output also ends it. Returns the exit
/// status. Leaves no files behind in any of these cases.
[[nodiscard]] int demo(bool keep);

}  // namespace qmux::app
