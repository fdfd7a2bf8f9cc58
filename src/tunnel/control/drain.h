// SPDX-License-Identifier: MIT
//
// How two sides end a session in order (GoAway, docs/PROTOCOL.md section 6). The side that is to stop asks the other one to open
// nothing new. What is open goes on. A side that has nothing left to carry says that it is idle. The side that stops closes the
// connection once both are: what one side has sent may still be on its way to a socket at the other.
//
//   the side that stops                          the other side
//   begin(): GoAway, again every second   ->     peer_said()
//   peer_said()                           <-     GoAway with Idle, once its sockets have taken everything
//   done(), once it is idle itself
//
// Owned by a session; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/io/event_loop.h"
#include "base/timer_queue.h"
#include "wire/messages.h"

namespace qmux::tunnel {

/// The session. Asked at any time.
class DrainHost {
 public:
  /// No tunnel is here, and the peer has everything that was sent to it.
  [[nodiscard]] virtual bool is_idle() const = 0;
  /// When the last packet of the peer came.
  [[nodiscard]] virtual Time last_heard() const = 0;
  /// On the control stream.
  virtual void send_go_away(const wire::GoAway& message) = 0;

 protected:
  ~DrainHost() = default;
};

class Drain {
 public:
  Drain(io::EventLoop& loop, DrainHost& host);

  /// This side is to stop. A peer that does not understand GoAway is not asked.
  void begin(std::string reason, bool peer_understands);
  /// True: the peer asks for nothing new, for the first time.
  [[nodiscard]] bool peer_said(const wire::GoAway& message);
  /// A tunnel was opened, by either side. Both count them: an Idle that was sent before the newest one was seen does not count.
  void tunnel_opened() noexcept;

  /// The peer has asked for nothing new.
  [[nodiscard]] bool is_asked() const noexcept { return asked_; }
  /// After begin(): this side has nothing left to carry, nor has a peer that understands GoAway and is not silent.
  [[nodiscard]] bool done() const noexcept;
  /// The connection is gone.
  void cancel() noexcept { look_.cancel(); }

 private:
  void look();

  io::EventLoop& loop_;
  DrainHost& host_;
  std::string reason_;
  Time begun_at_ = kNever;
  Time ask_again_at_ = kNever;                   ///< kNever: the peer is not asked
  Timer look_;                                   ///< set while one of the sides is to stop
  std::uint64_t tunnels_ = 0;                    ///< opened on the connection
  std::optional<std::uint64_t> peer_idle_with_;  ///< of the peer's last Idle: how many it had seen
  bool asked_ = false;
  bool idle_said_ = false;
};

}  // namespace qmux::tunnel
