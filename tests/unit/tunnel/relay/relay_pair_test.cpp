// SPDX-License-Identifier: MIT
//
// Two relays back to back, as at the two ends of a tunnel, driven by random steps: what either socket sees must be what it
// would see over one TCP connection.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "tunnel/fakes/tunnel.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using testing::Tunnel;
using testing::Worker;

/// One end of the whole, with what its application does.
struct Side {
  explicit Side(Worker& worker) : tunnel(worker) { tunnel.far.room_bytes = 0; }
  Tunnel tunnel;
  std::string sent;
  std::size_t carried_bytes = 0;  ///< of tunnel.peer.received, on to the other side
  bool fin_carried = false;
  bool reset_carried = false;
  bool stop_carried = false;

  [[nodiscard]] bool over() const { return tunnel.far.closed; }
};

class Pair {
 public:
  explicit Pair(unsigned seed) : random_(seed), resets_(below(3) == 0) {}
  ~Pair() {
    EXPECT_TRUE(worker.loop.timers().size() == 0);
    EXPECT_EQ(worker.budget.held_bytes(), 0U);
  }

  void play() {
    for (int step = 0; step < 200; ++step) {
      Side& side = below(2) == 0 ? near : distant;
      act(side);
      carry(near, distant, below(40'000));
      carry(distant, near, below(40'000));
      if (below(2) == 0) near.tunnel.run();
      if (below(2) == 0) distant.tunnel.run();
      check();
    }
    wind_up();
  }

  [[nodiscard]] bool any_reset() const { return one_reset_; }

  Worker worker;
  Side near{worker};
  Side distant{worker};

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  /// Something that an application or its TCP does.
  void act(Side& side) {
    testing::FarEnd& far = side.tunnel.far;
    if (side.over() || far.reset_sent) return;
    switch (below(resets_ ? 40 : 12)) {
      case 0:
        far.fin_sent = true;
        break;
      case 13:
        far.reset_sent = one_reset_ = true;
        break;
      default:
        if (below(2) == 0) {
          far.room_bytes += below(60'000);
        } else if (!far.fin_sent) {
          std::string more(below(60'000), static_cast<char>('a' + below(26)));
          far.arriving += more;
          side.sent += more;
        }
    }
  }

  /// What the QUIC connection does between the two.
  void carry(Side& from, Side& to, std::size_t bytes_max) {
    testing::StreamPeer& source = from.tunnel.peer;
    testing::StreamPeer& target = to.tunnel.peer;
    if (source.stopped && !from.stop_carried && below(3) == 0) {
      from.stop_carried = true;
      target.stops();
    }
    if (source.reset) {
      if (!from.reset_carried && below(3) == 0) {
        from.reset_carried = true;
        target.resets(*source.reset);
      }
      return;
    }
    if (from.fin_carried) return;
    source.takes(bytes_max);
    target.sends(std::string_view(source.received).substr(from.carried_bytes));
    from.carried_bytes = source.received.size();
    if (source.fin_received && !from.fin_carried) {
      from.fin_carried = true;
      target.finishes();
    }
  }

  void check() {
    ASSERT_TRUE(near.sent.starts_with(distant.tunnel.far.received));
    ASSERT_TRUE(distant.sent.starts_with(near.tunnel.far.received));
    ASSERT_LE(near.tunnel.peer.stream().unacknowledged_bytes(), near.tunnel.peer.unsent_max);
    ASSERT_LE(distant.tunnel.peer.stream().unacknowledged_bytes(), distant.tunnel.peer.unsent_max);
  }

  /// Both applications take everything and send FIN.
  void wind_up() {
    for (int round = 0; round < 2'000 && !(near.over() && distant.over()); ++round) {
      for (Side* side : {&near, &distant}) {
        if (!side->tunnel.far.reset_sent) side->tunnel.far.fin_sent = true;
        side->tunnel.far.room_bytes = 1'000'000;
      }
      carry(near, distant, 100'000);
      carry(distant, near, 100'000);
      near.tunnel.run();
      distant.tunnel.run();
      if (near.over() || distant.over()) worker.loop.advance(limits::kStoppedLingerTimeMax / 10);
      check();
    }
  }

  std::mt19937 random_;
  const bool resets_;
  bool one_reset_ = false;
};

TEST(RelayPair, each_side_sees_what_the_other_did) {
  int clean = 0;
  int reset = 0;
  int cut = 0;
  for (unsigned seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair pair(seed);
    pair.play();
    if (HasFatalFailure()) return;
    ASSERT_TRUE(pair.near.over());
    ASSERT_TRUE(pair.distant.over());
    const testing::FarEnd& near = pair.near.tunnel.far;
    const testing::FarEnd& distant = pair.distant.tunnel.far;
    if (!pair.any_reset()) {
      ASSERT_TRUE(near.closed_in_order());
      ASSERT_TRUE(distant.closed_in_order());
      ++clean;
    } else {
      ++reset;
    }
    if (near.closed_in_order() && distant.closed_in_order()) {
      ASSERT_EQ(near.received, pair.distant.sent);
      ASSERT_EQ(distant.received, pair.near.sent);
    }
    // A cut stream never looks complete: FIN is only ever seen after all that was sent before it.
    if (near.fin_received) {
      ASSERT_EQ(near.received, pair.distant.sent);
    }
    if (distant.fin_received) {
      ASSERT_EQ(distant.received, pair.near.sent);
    }
    // A reset comes after all that was sent before it, unless the other side has reset too.
    if (near.reset_sent && !distant.reset_sent) {
      ASSERT_EQ(distant.received, pair.near.sent);
      ++cut;
    }
    if (distant.reset_sent && !near.reset_sent) {
      ASSERT_EQ(near.received, pair.distant.sent);
      ++cut;
    }
  }
  EXPECT_GT(clean, 100);
  EXPECT_GT(reset, 50);
  EXPECT_GT(cut, 50);
}

}  // namespace
}  // namespace qmux::tunnel
