// SPDX-License-Identifier: MIT
//
// A server: every listener on every worker, and the pools that the workers share.
//
// start() before any of the loops runs, destruction after all of them have ended; stop() from any thread; reload() on one loop's
// thread while no other loop runs. The loops outlive it.
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
  /// What a reload has done to listeners.
  struct Reloaded {
    std::size_t added = 0;
    std::size_t removed = 0;  ///< they drain, for ServerOptions::drain_timeout at the most
    std::size_t moved = 0;    ///< visitors come to another address or with another protocol
  };
  /// Goes on with these options, as if it had been started with them. Listeners are known by their quic_address, which has its
  /// actual port, as the traffic_address has. Whatever is not concerned goes on undisturbed: connections with the transport and
  /// the credentials that they began with, visitors with their tunnels. After an Error nothing has changed. Not after stop().
  [[nodiscard]] Result<Reloaded> reload(ServerOptions options);
  /// Takes no more visitors and clients, lets the present visitors go on for ServerOptions::drain_timeout at the most, and then
  /// closes what is left in order, within limits::kStopTimeMax.
  void stop() noexcept;

  /// A listener's index is its place among all that this server has ever had; of several with one QUIC address this is the last.
  [[nodiscard]] std::size_t listener_index(const Address& quic_address) const;
  /// The addresses bound, with their actual ports.
  [[nodiscard]] Address quic_address(std::size_t listener) const { return shared(listener).options.quic_address; }
  [[nodiscard]] Address traffic_address(std::size_t listener) const { return shared(listener).options.traffic_address; }
  [[nodiscard]] const Pool& pool(std::size_t listener) const { return shared(listener).pool; }
  [[nodiscard]] std::size_t worker_count() const noexcept { return workers_.size(); }
  /// Call it on the worker's own thread.
  [[nodiscard]] const WorkerState& worker(std::size_t index) const { return workers_[index]->state(); }
  [[nodiscard]] const quic::HandshakeLoad& handshakes() const noexcept { return handshakes_; }
  /// Of the worker's own thread.
  [[nodiscard]] std::size_t initials_waiting(std::size_t worker) const { return workers_[worker]->initials_waiting(); }
  /// Visitors by UDP who come in there and have a client. Likewise.
  [[nodiscard]] std::size_t udp_route_count(std::size_t worker, std::size_t listener) const {
    ServerListener* const part = workers_[worker]->find(listener);
    UdpListener* const udp = part != nullptr ? part->udp() : nullptr;
    return udp != nullptr ? udp->route_count() : 0;
  }

 private:
  bool post(std::size_t worker, WorkerMessage& message) override;
  void hand_over(std::size_t worker, StrayPackets packets) override;
  void worker_stopped();
  [[nodiscard]] const SharedListener& shared(std::size_t index) const;
  /// On one worker at least.
  [[nodiscard]] bool is_stopping(const SharedListener& listener) const;
  /// nullptr: no listener has this address, or the one that has it is stopping.
  [[nodiscard]] SharedListener* find(const Address& quic_address);
  void end_stopping(const Address& quic_address);
  template <typename Function>
  void each_part(const SharedListener& listener, Function function);
  /// Opens its sockets on all workers. After an Error it has left nothing behind.
  [[nodiscard]] Result<void> add(ListenerOptions options);
  void remove(const SharedListener& listener);
  /// Opens the sockets for visitors that the new options want.
  [[nodiscard]] Result<void> prepare(const SharedListener& listener, const ListenerOptions& options);
  void log_ready(const SharedListener& listener) const;
  void forget_ended();

  ServerOptions options_;  ///< the listeners' are in listeners_
  VisitorAdmission admission_;
  UdpParcels parcels_;
  quic::HandshakeLoad handshakes_;
  MemoryLimit stuck_tunnels_;
  std::vector<std::unique_ptr<SharedListener>> listeners_;  ///< in the order of their indices
  std::size_t next_index_ = 0;
  std::vector<std::unique_ptr<ServerWorker>> workers_;
  std::move_only_function<void()> stopped_;
  std::atomic<std::size_t> running_;
};

}  // namespace qmux::tunnel
