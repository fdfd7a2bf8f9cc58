// SPDX-License-Identifier: MIT
//
// The shape of the connection IDs that we issue (RFC 9000 section 5.1): the first byte names the worker (wire/worker_routing),
// the rest is random.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include "base/bytes.h"
#include "base/random.h"
#include "wire/worker_routing.h"

namespace qmux::quic {

/// Length of every ID that we issue.
inline constexpr std::size_t kConnectionIdBytes = 12;

/// Fills `id` with `length` bytes, 1 to 20, that lead to `worker` of `workers`.
inline void make_id(ngtcp2_cid& id, std::size_t length, std::size_t worker, std::size_t workers,
                    Random& random) noexcept {
  id.datalen = length;
  const MutableBytes bytes = std::as_writable_bytes(std::span(id.data, length));
  random.fill(bytes);
  bytes[0] = wire::first_id_byte(worker, workers, bytes[0]);
}

}  // namespace qmux::quic
