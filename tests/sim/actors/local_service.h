// SPDX-License-Identifier: MIT
//
// A local service: listens, reads the id of each visitor, and plays its side of that visitor's record.
//
// One loop, one thread. The ledger outlives it. Destroying it resets what is open.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "sim/actors/ledger.h"
#include "sim/actors/talker.h"
#include "sim/world/loop.h"

namespace qmux::sim {

class LocalService final : private io::TcpListener::Events {
 public:
  /// `speaks_first`: sends the banner before it knows which visitor it is.
  LocalService(World& world, SimLoop& loop, Ledger& ledger, const Address& address, bool speaks_first);
  ~LocalService();

  /// Refuses connections while down; what is open goes on, or is reset.
  void go_down(bool reset_open);
  void come_back();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Connections that are not over.
  [[nodiscard]] std::size_t open_count() const noexcept { return guests_.size() - over_count_; }

 private:
  class Guest;

  void accepted(io::TcpHandle visitor, const Address& remote, const Address& local) override;

  World& world_;
  SimLoop& loop_;
  Ledger& ledger_;
  const Address address_;
  const bool speaks_first_;
  const std::string name_;
  std::unique_ptr<io::TcpListener> listener_;
  std::list<std::unique_ptr<Guest>> guests_;
  std::size_t over_count_ = 0;
};

}  // namespace qmux::sim
