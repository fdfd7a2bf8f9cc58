// SPDX-License-Identifier: MIT
//
// Counts what the loop and its sockets allocate once traffic has become steady: nothing.
#include "integration/allocation_counter.h"
#include "net/tcp_fixture.h"

namespace qmux::net {
namespace {

/// Sends back and forth for ever, with a deadline that moves at every step, as a connection's does.
class Player final : public io::TcpSocketEvents, public io::DatagramSocket::Events {
 public:
  explicit Player(AsioEventLoop& loop) : loop_(loop), timer_(loop.timers(), [] {}) {}

  void socket_readable() override {
    std::byte bytes[64];
    const MutableBytes room(bytes);
    const io::IoResult got = tcp->read({&room, 1});
    const ConstBytes answer = ConstBytes(bytes).first(got.count);
    tcp->write({&answer, 1});
    tcp->watch(io::Interest::read, this);
    play();
  }
  void socket_writable() override {}
  void socket_reset() override { FAIL(); }

  void datagrams_readable() override {
    io::PacketRun runs[8];
    while (const std::size_t count = udp->receive(runs)) {
      const std::span answers(runs, count);
      for (io::PacketRun& run : answers) {
        std::swap(run.local, run.remote);
        if (!all_at_once) udp->send(run);
      }
      if (all_at_once) udp->send_all(answers);
    }
    play();
  }
  void datagrams_writable() override {}

  std::unique_ptr<io::TcpSocket> tcp;
  std::unique_ptr<io::DatagramSocket> udp;
  bool all_at_once = false;  ///< answers by send_all()
  int plays = 0;

 private:
  void play() {
    ++plays;
    timer_.set(loop_.now() + std::chrono::microseconds(plays % 7 == 0 ? 20 : 2000));
  }

  AsioEventLoop& loop_;
  Timer timer_;
};

class LoopAllocation : public TcpTest {
 protected:
  void SetUp() override {
    TcpTest::SetUp();
    if (!integration::counts_allocations()) GTEST_SKIP() << "a sanitizer brings its own allocator";
  }

  /// Allocations while `player` makes `plays` plays.
  std::uint64_t count(const Player& player, int plays) {
    const int until = player.plays + plays;
    std::uint64_t before = 0;
    EXPECT_TRUE(run_until([&] {
      if (before == 0) before = integration::allocation_count();
      return player.plays >= until;
    }));
    return integration::allocation_count() - before;
  }
};

TEST_F(LoopAllocation, steady_tcp_allocates_nothing) {
  connect_pair();
  Player left(loop_);
  Player right(loop_);
  left.tcp = std::move(client_);
  right.tcp = std::move(server_);
  left.tcp->watch(io::Interest::read, &left);
  right.tcp->watch(io::Interest::read, &right);
  send_text(*left.tcp, "ball");
  count(right, 100);
  EXPECT_EQ(count(right, 1000), 0U);
}

TEST_F(LoopAllocation, steady_udp_allocates_nothing) {
  Player left(loop_);
  Player right(loop_);
  io::DatagramOptions options;
  options.local = loopback();
  left.udp = loop_.open_datagram(options, left).value();
  right.udp = loop_.open_datagram(options, right).value();
  const std::vector<std::byte> bytes(12'000);
  io::PacketRun run;
  run.remote = right.udp->local_address();
  run.bytes = bytes;
  run.segment_bytes = 1200;
  for (const bool all_at_once : {false, true}) {
    left.all_at_once = right.all_at_once = all_at_once;
    ASSERT_EQ(left.udp->send(run), io::SendStatus::sent);
    count(right, 100);
    EXPECT_EQ(count(right, 1000), 0U);
  }
}

}  // namespace
}  // namespace qmux::net
