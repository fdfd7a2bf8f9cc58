// SPDX-License-Identifier: MIT
//
// One relay between a socket and a stream whose far ends are the test.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>

#include "base/check.h"
#include "tunnel/fakes/loop.h"
#include "tunnel/fakes/socket.h"
#include "tunnel/fakes/stream_peer.h"
#include "tunnel/relay/relay.h"

namespace qmux::testing {

/// What tunnels of one worker share.
struct Worker {
  FakeLoop loop;
  ChunkPool chunks;
  tunnel::MemoryLimit memory{std::size_t{1024} * 1024, 1};
  Counter evictions;
  tunnel::MemoryBudget budget{memory, evictions};
};

class Tunnel final : private tunnel::RelayEvents {
 public:
  /// `before`: what the peer has done before the relay begins.
  explicit Tunnel(Worker& worker, const tunnel::RelayOptions& options = {},
                  const std::function<void(StreamPeer&)>& before = {})
      : worker_(worker), peer(worker.chunks) {
    if (before) before(peer);
    begin(options);
  }
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  ~Tunnel() {
    const OwnerCall call(*this);
    relay_.reset();
  }

  /// Passes of the loop, until no callback is left.
  void run() {
    while (far.notify_one() || peer.deliver_events() || worker_.budget.make_room()) {
    }
  }
  void advance(Duration by) {
    worker_.loop.advance(by);
    run();
  }

  tunnel::RelayEnd abort(quic::ErrorCode code) {
    const OwnerCall call(*this);
    return relay_->abort(code);
  }
  tunnel::RelayEnd connection_lost() {
    const OwnerCall call(*this);
    return relay_->connection_lost();
  }
  void destroy() {
    const OwnerCall call(*this);
    relay_.reset();
  }

  [[nodiscard]] bool ended() const { return end.has_value(); }
  [[nodiscard]] bool ended_with(tunnel::RelayEnd::Cause cause) const { return end && end->cause == cause; }

 private:
  Worker& worker_;
  std::unique_ptr<tunnel::Relay> relay_;
  bool in_owner_call_ = false;

 public:
  FarEnd far;       ///< of the socket
  StreamPeer peer;  ///< of the stream
  bool keep_ended_relay = false;
  int acknowledgements = 0;
  std::optional<tunnel::RelayEnd> end;

 private:
  /// No callback may run meanwhile.
  struct OwnerCall {
    explicit OwnerCall(Tunnel& tunnel) : in_call(tunnel.in_owner_call_) { in_call = true; }
    ~OwnerCall() { in_call = false; }
    bool& in_call;
  };

  void begin(const tunnel::RelayOptions& options) {
    const OwnerCall call(*this);
    tunnel::RelayEvents& observer = *this;
    relay_ = std::make_unique<tunnel::Relay>(worker_.loop, worker_.budget, std::make_unique<FakeSocket>(far),
                                             peer.stream(), observer, options);
  }
  void relay_acknowledged(tunnel::Relay& relay) override {
    CHECK(&relay == relay_.get() && !in_owner_call_ && !end);
    ++acknowledgements;
  }
  void relay_ended(tunnel::Relay& relay, const tunnel::RelayEnd& reported) override {
    CHECK(&relay == relay_.get() && !in_owner_call_ && !end);
    EXPECT_TRUE(far.closed);
    EXPECT_TRUE(peer.released());
    end = reported;
    if (!keep_ended_relay) relay_.reset();
  }
};

/// A test of one tunnel.
class TunnelTest : public ::testing::Test {
 protected:
  explicit TunnelTest(const tunnel::RelayOptions& options = {}) : tunnel(worker, options) {}

  Worker worker;
  Tunnel tunnel;
  FarEnd& far = tunnel.far;
  StreamPeer& peer = tunnel.peer;
};

}  // namespace qmux::testing
