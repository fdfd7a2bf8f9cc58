// SPDX-License-Identifier: MIT
//
// One worker of a server: its part of every listener, on one event loop.
//
// Owned by the Server. Made and opened before its loop runs; from then on it belongs to the loop's thread, except post() and
// stop(), which any thread may call.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "base/io/event_loop.h"
#include "base/mailbox.h"
#include "tunnel/server/server_listener.h"
#include "tunnel/server/worker_message.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ServerWorker final : private io::EventLoop::PassEvents {
 public:
  /// `stopped` is called once, on the worker's thread, when an orderly stop is done. All others outlive the worker; `handshakes`,
  /// `stuck_tunnels` and `parcels` are the process's.
  ServerWorker(io::EventLoop& loop, quic::WorkerIndex worker_index, const ServerOptions& options,
               quic::HandshakeLoad& handshakes, MemoryLimit& stuck_tunnels, UdpParcels& parcels, Workers& workers,
               std::move_only_function<void()> stopped);
  ServerWorker(const ServerWorker&) = delete;
  ServerWorker& operator=(const ServerWorker&) = delete;
  ~ServerWorker();

  /// This worker's part of a new listener, whose index is the highest.
  ServerListener& add(SharedListener& shared);
  /// At once. For one that has accepted nothing yet, or that is stopping.
  void remove(std::size_t index);
  /// nullptr: it has no part of that listener, or not any more.
  [[nodiscard]] ServerListener* find(std::size_t index) noexcept;
  /// ServerOptions have changed.
  void renew();
  /// Drains every listener for ServerOptions::drain_timeout at the most (ServerListener::drain()).
  void stop() noexcept;
  /// False: the mailbox is full or closed, and the caller keeps the message.
  [[nodiscard]] bool post(WorkerMessage& message);
  /// From any thread. Drops them when too many are waiting.
  void hand_over(StrayPackets packets);

  [[nodiscard]] std::size_t initials_waiting() const noexcept { return admission_.waiting_count(); }
  [[nodiscard]] const WorkerState& state() const noexcept { return state_; }

 private:
  void end_of_pass(Time now) override;
  void woken();
  void handle(WorkerMessage message);
  template <typename Message>
  void handle_udp(UdpListener* listener, Message& message);
  void finish_stop();

  WorkerState state_;
  Mailbox<WorkerMessage> mailbox_;
  std::vector<WorkerMessage> taken_;
  Mailbox<StrayPackets> strays_;
  std::vector<StrayPackets> strays_taken_;
  quic::HandshakeAdmission admission_;
  KeptBytes kept_;
  std::vector<std::unique_ptr<ServerListener>> listeners_;  ///< in the order of their indices
  std::move_only_function<void()> stopped_;
  Workers& workers_;
  UdpParcels& parcels_;
  const ServerOptions& options_;
  const quic::WorkerIndex worker_index_;
  std::atomic<bool> stop_wanted_{false};
};

}  // namespace qmux::tunnel
