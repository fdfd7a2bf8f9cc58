// SPDX-License-Identifier: MIT
//
// A server: every listener on every worker, and the pools that the workers share.
//
// start() before any of the loops runs, destruction after all of them have ended; stop() from any thread. The loops outlive
// it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "base/io/event_loop.h"
#include "base/result.h"
#include "tunnel/options.h"
#include "tunnel/server/server_worker.h"

namespace qmux::tunnel {

class Server final : public Workers {
 public:
  /// One worker a loop. `stopped` is called once, after stop(), on the thread of the worker that finished last.
  Server(ServerOptions options, const std::vector<io::EventLoop*>& loops, std::move_only_function<void()> stopped);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Opens all sockets, listener by listener, each on all workers in their order: the kernel numbers the sockets of a shared
  /// port in the order in which they were bound. After an Error it may only be destroyed.
  [[nodiscard]] Result<void> start();
  /// Takes no more visitors and clients, lets the present visitors go on for ServerOptions::drain_timeout at the most, and then
  /// closes what is left in order, within limits::kStopTimeMax.
  void stop() noexcept;

  /// The addresses bound, with their actual ports.
  [[nodiscard]] Address quic_address(std::size_t listener) const { return quic_addresses_[listener]; }
  [[nodiscard]] Address traffic_address(std::size_t listener) const { return traffic_addresses_[listener]; }
  [[nodiscard]] const Pool& pool(std::size_t listener) const { return *pools_[listener]; }
  [[nodiscard]] std::size_t worker_count() const noexcept { return workers_.size(); }
  /// Call it on the worker's own thread.
  [[nodiscard]] const WorkerState& worker(std::size_t index) const { return workers_[index]->state(); }
  [[nodiscard]] const quic::HandshakeLoad& handshakes() const noexcept { return handshakes_; }
  /// Of the worker's own thread.
  [[nodiscard]] std::size_t initials_waiting(std::size_t worker) const { return workers_[worker]->initials_waiting(); }
  /// Visitors by UDP who come in there and have a client. Likewise.
  [[nodiscard]] std::size_t udp_route_count(std::size_t worker, std::size_t listener) const {
    UdpListener* const udp = workers_[worker]->listener(listener).udp();
    return udp != nullptr ? udp->route_count() : 0;
  }

 private:
  bool post(std::size_t worker, WorkerMessage& message) override;
  void hand_over(std::size_t worker, StrayPackets packets) override;
  void drain_begun() override { draining_.fetch_add(1, std::memory_order_acq_rel); }
  [[nodiscard]] bool all_drain() const override { return draining_.load(std::memory_order_acquire) == workers_.size(); }
  void worker_stopped();

  const ServerOptions options_;
  VisitorAdmission admission_;
  UdpParcels parcels_;
  quic::HandshakeLoad handshakes_;
  MemoryLimit stuck_tunnels_;
  std::vector<std::unique_ptr<Pool>> pools_;  ///< by listener
  std::vector<ListenerSetup> setups_;
  std::vector<std::unique_ptr<ServerWorker>> workers_;
  std::vector<Address> quic_addresses_;
  std::vector<Address> traffic_addresses_;
  std::move_only_function<void()> stopped_;
  std::atomic<std::size_t> running_;
  std::atomic<std::size_t> draining_{0};
};

}  // namespace qmux::tunnel
