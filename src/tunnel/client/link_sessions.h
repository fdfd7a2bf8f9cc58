// SPDX-License-Identifier: MIT
//
// The sessions of a client's link to a server, with their endpoints, and the endpoints whose connections are still closing. At
// most one session is in use; others are being set up, or end.
//
// Owned by the link; one thread. Its endpoints change only in add() and forget_finished(), which are never called while endpoints
// are processed at the end of a pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "quic/endpoint.h"
#include "tunnel/client/client_session.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class LinkSessions {
 public:
  enum class Role : std::uint8_t {
    connecting,  ///< in its handshake
    unwanted,    ///< the same, closed: another address was faster
    current,     ///< in use: its handshake is complete
    leaving,     ///< its server is to stop, and another connection is sought
  };
  struct Entry {
    std::unique_ptr<ClientSession> session;
    quic::Endpoint* endpoint = nullptr;
    Address remote;
    Role role = Role::connecting;
  };

  explicit LinkSessions(WorkerState& worker) noexcept : worker_(worker) {}

  void add(std::unique_ptr<ClientSession> session, std::unique_ptr<quic::Endpoint> endpoint, const Address& remote);
  /// The entry of a session that has not been taken out.
  [[nodiscard]] Entry& of(const ClientSession& session);
  /// Takes out a session that has ended. Its endpoint stays until its connection has closed.
  [[nodiscard]] Entry take(const ClientSession& session);
  /// In the order of their beginning.
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
  [[nodiscard]] std::vector<Entry>& entries() noexcept { return entries_; }
  /// The first one in that role; nullptr: none.
  [[nodiscard]] const Entry* find(Role role) const noexcept;
  [[nodiscard]] std::size_t count(Role role) const noexcept;

  /// Every connection, those that are closing included.
  void close_all(const std::string& reason);
  [[nodiscard]] const std::vector<std::unique_ptr<quic::Endpoint>>& endpoints() const noexcept { return endpoints_; }
  /// Forgets connections that have closed. Beyond a few, it also drops some that are closing: a server that refuses at once must
  /// not make us collect sockets.
  void forget_finished();

 private:
  WorkerState& worker_;
  std::vector<std::unique_ptr<quic::Endpoint>> endpoints_;
  std::vector<Entry> entries_;
};

}  // namespace qmux::tunnel
