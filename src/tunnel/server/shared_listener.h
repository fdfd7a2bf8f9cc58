// SPDX-License-Identifier: MIT
//
// What all workers' parts of one listener share. Owned by the server. Outlives the parts, and every assignment of its pool.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "tunnel/options.h"
#include "tunnel/server/pool.h"
#include "tunnel/server/udp_parcel.h"
#include "tunnel/server/visitor_admission.h"

namespace qmux::tunnel {

struct SharedListener {
  /// `its_index`: never used twice by a server. The others outlive it.
  SharedListener(std::size_t its_index, ListenerOptions its_options, const ServerOptions& its_server,
                 VisitorAdmission& its_admission, UdpParcels& its_parcels)
      : index(its_index),
        options(std::move(its_options)),
        server(its_server),
        pool(its_server.balance),
        admission(its_admission),
        parcels(its_parcels) {
    admission.set_limits(index, options.visitors);
  }

  const std::size_t index;
  ListenerOptions options;  ///< with the actual ports; changed by Server::reload() alone
  const ServerOptions& server;
  Pool pool;
  VisitorAdmission& admission;
  UdpParcels& parcels;
  std::atomic<std::size_t> parts{0};           ///< workers that have their part of it
  std::atomic<std::size_t> parts_draining{0};  ///< of these, those that accept no more
};

}  // namespace qmux::tunnel
