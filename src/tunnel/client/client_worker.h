// SPDX-License-Identifier: MIT
//
// One worker of a client: the links to some of its servers, on one event loop. Of a server with `all_addresses` every worker
// follows the name, and takes the addresses that hash to it.
//
// Owned by the Client. Belongs to the loop's thread once the loop runs, except stop(), which any thread may call, and what serves
// Client::reload().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/io/event_loop.h"
#include "tunnel/client/name_follower.h"
#include "tunnel/client/ready_notice.h"
#include "tunnel/client/server_link.h"
#include "tunnel/options.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ClientWorker final : private io::EventLoop::PassEvents,
                           private io::EventLoop::NetworkEvents,
                           private NameFollower::Events {
 public:
  /// Which of the client's workers this is.
  struct Place {
    std::size_t index = 0;
    std::size_t count = 1;
  };
  /// The client's workers share `stuck_tunnels` and `ready`. `options` outlive it, and may change between two passes, followed by
  /// options_changed(). `stopped` is called once, on the worker's thread, when an orderly stop is done.
  ClientWorker(io::EventLoop& loop, Place place, MemoryLimit& stuck_tunnels, ReadyNotice& ready,
               const ClientOptions& options, std::string instance, std::move_only_function<void()> stopped);
  ClientWorker(const ClientWorker&) = delete;
  ClientWorker& operator=(const ClientWorker&) = delete;
  ~ClientWorker();

  /// The first attempt is made in the loop's next pass.
  void add_server(const ServerEntry& server);
  /// Its links drain, and are forgotten then.
  void remove_server(const ServerEntry& server);
  /// Those added and not removed.
  [[nodiscard]] std::size_t server_count() const noexcept;
  void options_changed();
  /// See Client::machine_woke().
  void machine_woke(Duration asleep);
  /// Takes no more visitors. Once the last one has been served, or after ClientOptions::drain_timeout, closes the connections in
  /// order, within limits::kStopTimeMax.
  void stop() noexcept;

  [[nodiscard]] const WorkerState& state() const noexcept { return state_; }
  /// Those included that drain.
  [[nodiscard]] const std::vector<std::unique_ptr<ServerLink>>& links() const noexcept { return links_; }

 private:
  void end_of_pass(Time now) override;
  void network_changed() override;
  void addresses_found(const ServerEntry& server, std::span<const Address> addresses) override;
  void woken();
  void add_link(const ServerEntry& server, const Address& address);
  void drain(ServerLink& link, const std::string& reason);
  /// Of the process: every worker counts in steps of their number, from its own index.
  [[nodiscard]] std::uint32_t next_slot() noexcept;

  WorkerState state_;
  const Place place_;
  ReadyNotice& ready_;
  const ClientOptions& options_;
  const std::string instance_;
  std::uint32_t links_made_ = 0;
  std::vector<std::unique_ptr<NameFollower>> names_;
  std::vector<std::unique_ptr<ServerLink>> links_;
  std::move_only_function<void()> stopped_;
  std::atomic<bool> stop_wanted_{false};
  bool stopping_ = false;
};

}  // namespace qmux::tunnel
