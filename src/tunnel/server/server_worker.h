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
#include <span>
#include <vector>

#include "base/io/event_loop.h"
#include "base/mailbox.h"
#include "tunnel/server/server_listener.h"
#include "tunnel/server/worker_message.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

class ServerWorker final : private io::EventLoop::PassEvents {
 public:
  /// `stopped` is called once, on the worker's thread, when an orderly stop is done. `handshakes`, `stuck_tunnels` and `visitors`
  /// are the process's; all but `setups` outlive the worker.
  ServerWorker(io::EventLoop& loop, quic::WorkerIndex worker_index, const ServerOptions& options,
               quic::HandshakeLoad& handshakes, MemoryLimit& stuck_tunnels, const VisitorAdmission& visitors,
               std::span<const ListenerSetup> setups, Workers& workers, std::move_only_function<void()> stopped);
  ServerWorker(const ServerWorker&) = delete;
  ServerWorker& operator=(const ServerWorker&) = delete;
  ~ServerWorker();

  [[nodiscard]] ServerListener& listener(std::size_t index) { return *listeners_[index]; }
  /// Accepts no more visitors and clients. Once the last visitor of the process has been served, or after
  /// ServerOptions::drain_timeout, resets visitors and closes connections, within limits::kStopTimeMax.
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
  void handle_udp(UdpListener& listener, Message& message);
  void begin_drain();
  void look_for_end();
  void begin_stop();
  void finish_stop();

  WorkerState state_;
  Mailbox<WorkerMessage> mailbox_;
  std::vector<WorkerMessage> taken_;
  Mailbox<StrayPackets> strays_;
  std::vector<StrayPackets> strays_taken_;
  quic::HandshakeAdmission admission_;
  KeptBytes kept_;
  std::vector<std::unique_ptr<ServerListener>> listeners_;
  std::move_only_function<void()> stopped_;
  Workers& workers_;
  const VisitorAdmission& visitors_;
  const Duration drain_timeout_;
  Time drain_end_ = kNever;
  Timer drain_look_;  ///< set while it drains
  Timer stop_deadline_;
  std::atomic<bool> stop_wanted_{false};
  bool stopping_ = false;
};

}  // namespace qmux::tunnel
