// SPDX-License-Identifier: MIT
//
// Makes a UDP socket with the options that QUIC and UDP tunnels need.
#pragma once

#include "base/io/event_loop.h"
#include "base/result.h"
#include "net/file_descriptor.h"

namespace qmux::net {

/// Bound, connected where `options` say so, non-blocking, receiving batches and everything that udp_control.h
/// reads. Unless `fragmentable`, packets are never fragmented, and the path's MTU that the kernel knows is not
/// consulted: QUIC finds its own (RFC 9000, 14.3).
/// "[::]" takes IPv4 as well. Logs once a process when the kernel grants smaller buffers than asked for.
[[nodiscard]] Result<FileDescriptor> open_udp(const io::DatagramOptions& options);

}  // namespace qmux::net
