// SPDX-License-Identifier: MIT
//
// A visitor until a client has taken him: a value that may change workers more than once. Afterwards he is a tunnel and
// stays where he is.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/io/tcp_socket.h"
#include "base/time.h"
#include "tunnel/server/pool.h"
#include "tunnel/server/visitor_admission.h"

namespace qmux::tunnel {

struct Visitor {
  std::size_t listener = 0;           ///< whose traffic address he came to
  io::TcpHandle socket;               ///< dropping it resets his connection
  Address remote;                     ///< his own
  Address local;                      ///< the one he came to
  Time deadline = kNever;             ///< for a client to have taken him
  VisitorAdmission::Ticket ticket{};  ///< its place among the visitors of the process
  std::vector<std::byte> prefix{};    ///< what he has sent so far, at most limits::kVisitorPrefixBytesMax
  std::vector<MemberId> tried{};      ///< clients that could not take him
};

/// With the member chosen for it.
struct SeatedVisitor {
  Visitor visitor;
  Pool::Seat seat;
};

/// That member cannot serve it: gives the seat back, and adds the member to those tried.
[[nodiscard]] inline Visitor unseat(SeatedVisitor seated) {
  seated.visitor.tried.push_back(seated.seat.member());
  return std::move(seated.visitor);
}

}  // namespace qmux::tunnel
