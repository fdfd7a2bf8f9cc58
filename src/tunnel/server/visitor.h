// SPDX-License-Identifier: MIT
//
// A visitor until a client has taken it: a value that may change workers more than once. Afterwards it is a tunnel and stays on
// its worker, unless the client cannot serve it: then it returns, with what it has sent.
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
  std::size_t listener = 0;           ///< whose traffic address it connected to
  io::TcpHandle socket;               ///< dropping it resets the connection
  Address remote;                     ///< its own
  Address local;                      ///< the one it connected to
  Time deadline = kNever;             ///< by which a client must have taken it
  VisitorAdmission::Ticket ticket{};  ///< counts it among the visitors of the process
  std::vector<std::byte> prefix{};    ///< the bytes received so far, at most limits::kVisitorPrefixBytesMax
  std::vector<MemberId> tried{};      ///< clients that could not take it; for now
  std::vector<MemberId> failed{};     ///< clients that could not reach their local service for it; for good
  std::size_t offers = 0;             ///< how many clients it has been offered to
};

/// A visitor with the member chosen for it.
struct AssignedVisitor {
  Visitor visitor;
  Pool::Assignment assignment;
};

/// That member cannot serve the visitor: ends the assignment and adds the member to those tried.
[[nodiscard]] inline Visitor unassign(AssignedVisitor assigned) {
  assigned.visitor.tried.push_back(assigned.assignment.member());
  return std::move(assigned.visitor);
}

}  // namespace qmux::tunnel
