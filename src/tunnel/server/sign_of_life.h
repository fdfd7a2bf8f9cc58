// SPDX-License-Identifier: MIT
//
// Whether a client answers. While its connection is silent (quic/path_silence.h), the pool prefers other clients; once that has
// lasted for limits::kSilentHandoverTime, its visitors are to be taken back.
//
// A connection is silent only when something was sent. So the client is asked where its answer matters and nothing else is sent:
// while visitors of an eager listener have no answer, and when another process registers under its name.
//
// Owned by a session, one thread.
#pragma once

#include <string_view>

#include "base/timer_queue.h"
#include "quic/connection.h"
#include "tunnel/server/pool.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {

/// Called from the loop's timers, and from inside doubt().
class SignOfLifeHost {
 public:
  /// Sends something that has to be acknowledged.
  virtual void ask_for_sign_of_life() = 0;
  /// Visitors are with the client that have no answer yet.
  [[nodiscard]] virtual bool has_offers() const = 0;
  /// The client has been silent for long, and another one is there. Repeated while that lasts.
  virtual void take_back_visitors() = 0;

 protected:
  ~SignOfLifeHost() = default;
};

class SignOfLife {
 public:
  SignOfLife(WorkerState& worker, Pool& pool, const quic::Connection& connection, SignOfLifeHost& host);

  /// From now on the pool is told.
  void begin(MemberId member, std::string_view client_id);
  /// As reported by the connection.
  void peer_silent();
  void peer_heard();
  /// Visitors are handed over when the client falls silent: it is asked while it owes them an answer.
  void watch_offers();
  /// The client may be dead. It is asked, once within limits::kNamesakeQuestionInterval at most.
  void doubt();
  /// The connection has ended.
  void end();

 private:
  void ask_for_offers();
  void silent_for_long();

  WorkerState& worker_;
  Pool& pool_;
  const quic::Connection& connection_;
  SignOfLifeHost& host_;
  std::string_view client_id_;
  MemberId member_ = 0;
  Time doubted_at_ = Time::min();
  Timer offers_due_;
  Timer handover_due_;
};

}  // namespace qmux::tunnel
