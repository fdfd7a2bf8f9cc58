// SPDX-License-Identifier: MIT
//
// Times, addresses and paths as ngtcp2 has them. An ngtcp2 path refers to the addresses that it was made from.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include "base/address.h"
#include "base/io/datagram_socket.h"
#include "base/time.h"

namespace qmux::quic {

[[nodiscard]] inline ngtcp2_tstamp tstamp(Time now) {
  return static_cast<ngtcp2_tstamp>(now.time_since_epoch().count());
}

[[nodiscard]] inline ngtcp2_addr as_ngtcp2(const Address& address) {
  return {const_cast<sockaddr*>(address.raw()), address.raw_length()};
}

[[nodiscard]] inline ngtcp2_path path_of(const io::PacketRun& run) {
  return {as_ngtcp2(run.local), as_ngtcp2(run.remote), nullptr};
}

[[nodiscard]] inline Address from_ngtcp2(const ngtcp2_addr& address) { return {address.addr, address.addrlen}; }

}  // namespace qmux::quic
