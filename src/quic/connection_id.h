// SPDX-License-Identifier: MIT
//
// The shape of the connection IDs that we issue (RFC 9000 section 5.1): the first byte names the worker, so that the kernel
// can steer a packet to it (net/reuseport); the rest is random.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include "base/bytes.h"
#include "base/random.h"

namespace qmux::quic {

/// Length of every ID that we issue.
inline constexpr std::size_t kConnectionIdBytes = 12;

/// Which worker of `workers` an ID leads to.
[[nodiscard]] inline unsigned worker_of(std::uint8_t first_byte, unsigned workers) noexcept { return first_byte % workers; }

/// Fills `id` with `length` bytes that lead to `worker` of `workers` (1 to 256).
inline void make_id(ngtcp2_cid& id, std::size_t length, unsigned worker, unsigned workers, Random& random) noexcept {
  id.datalen = length;
  random.fill(std::as_writable_bytes(std::span(id.data, length)));
  const unsigned rounds = (255U - worker) / workers + 1;  // values of a byte that lead to this worker
  id.data[0] = static_cast<std::uint8_t>(worker + workers * (id.data[0] % rounds));
}

}  // namespace qmux::quic
