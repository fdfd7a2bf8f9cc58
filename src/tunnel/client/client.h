// SPDX-License-Identifier: MIT
//
// A client: a link to each of its servers, spread over its workers.
//
// start() before any of the loops runs, destruction after all of them have ended; stop() from any thread; reload() on the first
// worker's thread while the other workers' loops stand still. The loops outlive it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "base/io/event_loop.h"
#include "tunnel/client/client_worker.h"
#include "tunnel/client/ready_notice.h"
#include "tunnel/options.h"

namespace qmux::tunnel {

class Client final {
 public:
  /// One worker a loop. `stopped` is called once, after stop(), on the thread of the worker that finished last.
  Client(ClientOptions options, const std::vector<io::EventLoop*>& loops, std::move_only_function<void()> stopped);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  void start();
  /// Takes no more visitors, lets the present ones go on for ClientOptions::drain_timeout at the most, and then closes the
  /// connections to the servers in order, within limits::kStopTimeMax.
  void stop() noexcept;

  /// Makes the running client as if it had been started with these options, and leaves alone what has not changed: a server with
  /// the same ServerEntry keeps its connections and their tunnels. Links to other servers are made; those to servers that are not
  /// listed any more drain (ClientOptions::drain_timeout) and are forgotten. Another client_id replaces all links. New
  /// connections use the new transport and credentials, new visitors the new local service and the new UDP options; the rest
  /// applies at once. After stop() it changes nothing.
  ///
  /// Called on the first worker's thread, not from inside the client, while no other worker's loop runs. What the old options
  /// point to is not used after it returns, except what a connection holds itself.
  void reload(ClientOptions options);

  /// This machine has been asleep for that long, while the loops' clock stood still. Called on the worker's own thread, not from
  /// inside the client.
  void machine_woke(std::size_t worker, Duration asleep) { workers_[worker]->machine_woke(asleep); }

  [[nodiscard]] std::size_t worker_count() const noexcept { return workers_.size(); }
  /// Call it on the worker's own thread.
  [[nodiscard]] const ClientWorker& worker(std::size_t index) const { return *workers_[index]; }

 private:
  void worker_stopped();
  /// One with all_addresses is every worker's, any other one that of the worker with the fewest.
  void add_server(const ServerEntry& server);

  ClientOptions options_;  ///< all workers refer to it
  MemoryLimit stuck_tunnels_;
  ReadyNotice ready_;
  std::vector<std::unique_ptr<ClientWorker>> workers_;
  std::move_only_function<void()> stopped_;
  std::atomic<std::size_t> running_;
  std::atomic<bool> stop_called_{false};
};

}  // namespace qmux::tunnel
