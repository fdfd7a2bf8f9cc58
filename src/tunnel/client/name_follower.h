// SPDX-License-Identifier: MIT
//
// Follows the name of a server with `all_addresses`: looks it up again and again, and reports the addresses. A look-up that
// fails, or finds none, changes nothing.
//
// Owned by a client's worker; one thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/io/event_loop.h"
#include "base/result.h"
#include "base/timer_queue.h"
#include "tunnel/options.h"

namespace qmux::tunnel {

class NameFollower {
 public:
  class Events {
   public:
    /// What the name stands for now: at least one address, at most limits::kAddressesPerNameMax, each once. Called from the loop.
    virtual void addresses_found(const ServerEntry& server, std::span<const Address> addresses) = 0;

   protected:
    ~Events() = default;
  };

  /// `options` and `events` outlive it.
  NameFollower(io::EventLoop& loop, const ClientOptions& options, ServerEntry server, Events& events);
  NameFollower(const NameFollower&) = delete;
  NameFollower& operator=(const NameFollower&) = delete;
  ~NameFollower();

  /// Looks the name up in the loop's next pass: at first, when the options have changed, or when the network may have changed
  /// after a failure.
  void look_up_soon();
  void network_changed();

  [[nodiscard]] const ServerEntry& server() const noexcept { return server_; }

 private:
  void look_up();
  void looked_up(const Result<std::vector<Address>>& addresses);
  void failed(const Result<std::vector<Address>>& addresses);

  io::EventLoop& loop_;
  const ClientOptions& options_;
  const ServerEntry server_;
  Events& events_;
  Timer next_;
  std::unique_ptr<io::Resolution> resolution_;
  bool found_ = false;            ///< addresses, once
  bool failing_ = false;          ///< the last look-up has failed, and that is logged
  bool too_many_logged_ = false;  ///< that the name has more addresses than are used
};

/// Each address once, at most `count_max`: always the same ones of the same addresses, whatever their order.
[[nodiscard]] std::vector<Address> choose_addresses(std::vector<Address> addresses, std::size_t count_max);

}  // namespace qmux::tunnel
