// SPDX-License-Identifier: MIT
//
// A client: a link to each of its servers, spread over its workers.
//
// start() before any of the loops runs, destruction after all of them have ended; stop() from any thread. The loops outlive
// it.
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

  [[nodiscard]] std::size_t worker_count() const noexcept { return workers_.size(); }
  /// Call it on the worker's own thread.
  [[nodiscard]] const ClientWorker& worker(std::size_t index) const { return *workers_[index]; }

 private:
  void worker_stopped();

  const ClientOptions options_;
  MemoryLimit stuck_tunnels_;
  ReadyNotice ready_;
  std::vector<std::unique_ptr<ClientWorker>> workers_;
  std::move_only_function<void()> stopped_;
  std::atomic<std::size_t> running_;
};

}  // namespace qmux::tunnel
