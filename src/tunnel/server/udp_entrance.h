// SPDX-License-Identifier: MIT
//
// Receives visitors' UDP: one worker's socket on a listener's traffic address, and for each visitor the route to the client that
// serves it, on this worker or another. The kernel spreads visitors over the workers by their addresses, so that the packets of
// one visitor always arrive at the same worker.
//
// Owned by the worker's part of the listener; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/call_guard.h"
#include "base/io/event_loop.h"
#include "base/io/overflow_watch.h"
#include "base/token_bucket.h"
#include "tunnel/server/pool.h"
#include "tunnel/server/server_udp.h"
#include "tunnel/server/udp_visitor.h"
#include "tunnel/udp/session_ages.h"
#include "tunnel/udp/unread.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

/// Never called inside a call that the host makes to the entrance.
class UdpEntranceHost {
 public:
  /// To the worker that holds the visitor's client. False: its mailbox is full or closed, or the member has left, and the
  /// caller keeps the visitor.
  [[nodiscard]] virtual bool send_udp_visitor(AssignedUdpVisitor& assigned) = 0;
  /// The same for the end of the session of a visitor assigned to `member`.
  virtual void evict_udp_visitor(std::size_t worker, MemberId member, const UdpVisitor& visitor,
                                 std::uint64_t route) = 0;
  /// The visitor's client is on this worker.
  virtual void deliver_udp(MemberId member, const io::PacketRun& packets) = 0;
  /// The visitor's client is on another worker. The packets are sent at once or at the end of the pass.
  virtual void forward_udp(std::size_t worker, MemberId member, const io::PacketRun& packets) = 0;

 protected:
  ~UdpEntranceHost() = default;
};

class UdpEntrance final : private io::DatagramSocket::Events, private Unread::Events {
 public:
  UdpEntrance(WorkerState& worker, std::size_t worker_index, std::size_t workers, Pool& pool, UdpEntranceHost& host);
  UdpEntrance(const UdpEntrance&) = delete;
  UdpEntrance& operator=(const UdpEntrance&) = delete;
  ~UdpEntrance();

  [[nodiscard]] Result<void> open(const Address& traffic_address, bool shared_port);
  [[nodiscard]] Address address() const { return socket_->local_address(); }

  /// To a visitor, at the end of the pass.
  void answer(const UdpVisitor& visitor, ConstBytes payload);
  /// An event of the session of a route. No-op when the visitor has another route by now.
  void session_event(const UdpSessionEvent& event);

  [[nodiscard]] std::size_t route_count() const noexcept { return routes_.size(); }

 private:
  struct Source;
  struct Route {
    UdpVisitor visitor;
    MemberId member;
    std::size_t worker;
    std::uint64_t number;
    Source* source;
    bool answered = false;
    Time last_used{};
  };
  using Routes = SessionAges<Route>;
  /// One source of visitors (Address::holder()), and its routes.
  struct Source {
    Address host;
    TokenBucket beginnings;
    Routes routes;
  };
  struct SourceHash {
    std::uint64_t seed;
    std::size_t operator()(const Address& host) const noexcept { return host.hash(seed); }
  };

  // io::DatagramSocket::Events
  void datagrams_readable() override;
  void datagrams_writable() override {}
  void read_on() override { datagrams_readable(); }

  void arrived(const io::PacketRun& packets);
  /// nullptr: no client can serve the visitor; its payloads are dropped and counted.
  Route* find_or_choose(const UdpVisitor& visitor, std::size_t payloads);
  Route* choose(const UdpVisitor& visitor, std::size_t payloads);
  Source& source_of(const Address& remote);
  void evict_one(Source& source);
  void forget(Routes::Place route);
  void forget_if_unused(Source& source);

  WorkerState& worker_;
  const std::size_t worker_index_;
  const std::size_t routes_per_source_max_;
  Pool& pool_;
  UdpEntranceHost& host_;
  CallGuard guard_;
  std::unique_ptr<io::DatagramSocket> socket_;
  std::unordered_map<UdpVisitor, Routes::Place, UdpVisitor::Hash> routes_;
  std::unordered_map<Address, Source, SourceHash> sources_;
  std::uint64_t last_number_ = 0;
  io::OverflowWatch overflow_;
};

}  // namespace qmux::tunnel
