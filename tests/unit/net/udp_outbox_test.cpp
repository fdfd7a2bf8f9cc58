// SPDX-License-Identifier: MIT
#include "net/udp_outbox.h"

#include <gmock/gmock.h>

#include <array>
#include <cerrno>
#include <string>

#include "net/send_faults.h"
#include "net/udp_fixture.h"

namespace qmux::net {
namespace {

using io::SendStatus;

class SendAll : public UdpTest {
 protected:
  void SetUp() override {
    open(a_, loopback());
    open(b_, loopback());
    open(c_, loopback());
  }

  /// `count` packets of `size` bytes to `end`.
  io::PacketRun run(const Collecting& end, std::size_t size, std::size_t count = 1) const {
    return run_to(end.socket->local_address(), ConstBytes(bytes_).first(size * count), size);
  }
  static std::size_t bytes_in(const Collecting& end) {
    std::size_t count = 0;
    for (const Arrival& each : end.arrivals) count += each.bytes.size();
    return count;
  }

  const std::vector<std::byte> bytes_ = pattern(65'507);
  Collecting c_;
};

TEST_F(SendAll, serves_many_peers_in_few_calls) {
  std::vector<io::PacketRun> runs;
  for (std::size_t i = 0; i < 100; ++i) {
    runs.push_back(run(b_, 100 + i));
    runs.push_back(run(c_, 1200, 1 + i % 5));
  }
  const std::size_t before = send_call_count();
  EXPECT_EQ(a_.socket->send_all(runs), 0U);
  EXPECT_EQ(send_call_count() - before, 4U);
  ASSERT_TRUE(run_until([&] { return b_.packets() == 100 && c_.packets() == 300; }));
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(b_.arrivals[i].bytes.size(), 100 + i);
  EXPECT_EQ(bytes_in(c_), 300U * 1200);
  EXPECT_EQ(a_.socket->send_all({}), 0U);
}

TEST_F(SendAll, keeps_packets_without_bytes_apart) {
  const std::array runs{run(b_, 0), run(b_, 10, 3), run(b_, 0), run(b_, 0)};
  EXPECT_EQ(a_.socket->send_all(runs), 0U);
  ASSERT_TRUE(run_until([&] { return b_.packets() == 6; }));
  std::vector<std::size_t> sizes;
  for (const Arrival& each : b_.arrivals) sizes.push_back(each.bytes.size());
  EXPECT_THAT(sizes, testing::ElementsAre(0, 30, 0, 0));
}

TEST_F(SendAll, a_bad_peer_costs_no_other_anything) {
  const auto to = [&](const char* host, std::uint16_t port, std::size_t size, std::size_t count) {
    return run_to(Address::from_literal(host, port).value(), ConstBytes(bytes_).first(size * count), size);
  };
  const std::vector<io::PacketRun> runs{
      to("255.255.255.255", 9, 10, 3),  // EACCES
      run(b_, 1200, 2),
      to("127.0.0.1", 0, 1000, 4),  // EINVAL
      run(c_, 1200, 3),
      to("127.0.0.1", 9, 10, 1),  // no program there: sent
      to("127.0.0.1", 0, 100, 1),
      run(b_, 1000),
  };
  EXPECT_EQ(a_.socket->send_all(runs), 3U + 4 + 1);
  ASSERT_TRUE(run_until([&] { return b_.packets() == 3 && c_.packets() == 3; }));
  const auto too_long = pattern(65'508);
  const std::array late{run_to(b_.socket->local_address(), too_long, too_long.size()), run(b_, 5)};  // EMSGSIZE
  EXPECT_EQ(a_.socket->send_all(late), 1U);
  EXPECT_TRUE(run_until([&] { return b_.packets() == 4; }));
}

TEST_F(SendAll, loses_what_there_is_no_room_for_and_waits_for_nothing) {
  const std::array runs{run(b_, 100, 2), run(c_, 100), run(b_, 50, 3), run(c_, 70)};
  const SendFaults faults{{.error = 0, .messages_max = 2}, {.error = EAGAIN}};
  EXPECT_EQ(a_.socket->send_all(runs), 4U);
  EXPECT_EQ(a_.socket->send_all(runs), 0U);
  ASSERT_TRUE(run_until([&] { return b_.packets() == 7 && c_.packets() == 3; }));
  EXPECT_EQ(a_.writable, 0);
}

TEST_F(SendAll, goes_packet_by_packet_where_the_kernel_cannot_segment) {
  const std::array runs{run(b_, 1200, 50), run(c_, 300, 3), run(b_, 77), run(c_, 0)};
  const SendFaults faults{{.error = EIO}, {.messages_max = 7}, {.error = EINTR}, {.error = EAGAIN}};
  EXPECT_EQ(a_.socket->send_all(runs), 43U + 3 + 1 + 1);
  EXPECT_EQ(a_.socket->send_all(runs), 0U);
  ASSERT_TRUE(run_until([&] { return b_.packets() == 7 + 51 && c_.packets() == 4; }));
  EXPECT_EQ(bytes_in(b_), 57U * 1200 + 77);
}

TEST_F(SendAll, a_run_that_cannot_be_segmented_leaves_the_others_whole) {
  const std::array runs{run(b_, 1200, 50), run(c_, 300, 3)};
  const SendFaults faults{{.error = EINVAL}};
  const std::size_t before = send_call_count();
  EXPECT_EQ(a_.socket->send_all(runs), 0U);
  EXPECT_EQ(send_call_count() - before, 2U);
  ASSERT_TRUE(run_until([&] { return b_.packets() == 50 && c_.packets() == 3; }));
  EXPECT_EQ(c_.arrivals.size(), 1U);
}

TEST_F(SendAll, needs_no_address_on_a_connected_socket) {
  for (const Address& local : {loopback(), loopback6()}) {
    a_ = {};
    b_ = {};
    open(b_, local);
    open(a_, local, b_.socket->local_address());
    std::array runs{run_to({}, ConstBytes(bytes_).first(3600), 1200), run_to({}, {}, 0)};
    for (io::PacketRun& each : runs) each.ecn = io::Ecn::ect_0;
    EXPECT_EQ(a_.socket->send_all(runs), 0U);
    ASSERT_TRUE(run_until([&] { return b_.packets() == 4; }));
    for (const Arrival& each : b_.arrivals) EXPECT_EQ(each.ecn, io::Ecn::ect_0);
  }
}

TEST_F(SendAll, sends_to_a_closed_port_without_loss_of_its_own) {
  a_ = {};
  open(a_, loopback(), closed_port());
  const std::array runs{run_to({}, ConstBytes(bytes_).first(5), 5), run_to({}, ConstBytes(bytes_).first(6), 6),
                        run_to({}, ConstBytes(bytes_).first(7), 7)};
  EXPECT_EQ(a_.socket->send_all(runs), 0U);
  ASSERT_TRUE(run_until([&] { return a_.notified > 0; }));
  EXPECT_EQ(a_.socket->unreachable(), io::Unreachable::port);
}

TEST_F(SendAll, answers_every_peer_from_the_address_that_it_sent_to) {
  b_ = {};
  open(b_, Address::any(AF_INET6, 0));
  std::array<Collecting, 3> peers;
  std::vector<Address> targets;
  for (const char* host : {"127.0.0.1", "127.0.0.2", "::1"}) {
    targets.push_back(Address::from_literal(host, b_.socket->local_address().port()).value());
    Collecting& peer = peers[targets.size() - 1];
    open(peer, Address::any(targets.back().family(), 0));
    ASSERT_EQ(peer.socket->send(run_to(targets.back(), pattern(8), 8)), SendStatus::sent);
  }
  ASSERT_TRUE(run_until([&] { return b_.packets() == peers.size(); }));
  std::vector<io::PacketRun> answers;
  for (const Arrival& each : b_.arrivals) {
    answers.push_back(run_to(each.remote, ConstBytes(bytes_).first(2400), 1200));
    answers.back().local = each.local;
  }
  EXPECT_EQ(b_.socket->send_all(answers), 0U);
  ASSERT_TRUE(
      run_until([&] { return std::ranges::all_of(peers, [](const auto& peer) { return peer.packets() == 2; }); }));
  for (std::size_t i = 0; i < peers.size(); ++i) EXPECT_EQ(peers[i].arrivals[0].remote.text(), targets[i].text());
}

TEST_F(SendAll, leaves_send_its_own_place_in_a_run_that_was_interrupted) {
  const io::PacketRun long_run = run(b_, 1000, 10);
  const std::array others{run(c_, 30)};
  {
    const SendFaults faults{{.error = EINVAL}, {.messages_max = 4}, {.error = EAGAIN}};
    EXPECT_EQ(a_.socket->send(long_run), SendStatus::would_block);
  }
  EXPECT_EQ(a_.socket->send_all(others), 0U);
  ASSERT_TRUE(run_until([&] { return a_.writable == 1; }));
  EXPECT_EQ(a_.socket->send(long_run), SendStatus::sent);
  ASSERT_TRUE(run_until([&] { return b_.packets() == 10 && c_.packets() == 1; }));
  EXPECT_EQ(bytes_in(b_), 10'000U);
}

TEST(RunCursor, counts_what_is_left) {
  const std::vector<std::byte> bytes(100);
  std::array<io::PacketRun, 3> runs;
  runs[0].bytes = ConstBytes(bytes).first(25);
  runs[0].segment_bytes = 10;
  runs[2].bytes = bytes;
  runs[2].segment_bytes = 50;
  RunCursor at(runs, true);
  EXPECT_EQ(at.packets_left(), 3U + 1 + 2);
  at.split_run();
  at.next();
  EXPECT_EQ(at.packets_left(), 2U + 1 + 2);
  EXPECT_EQ(at.bytes().size(), 10U);
  at.next();
  EXPECT_EQ(at.bytes().size(), 5U);
  at.next();
  EXPECT_TRUE(at.bytes().empty());
  EXPECT_EQ(at.packet_count(), 1U);
  at.next();
  EXPECT_EQ(at.bytes().size(), 100U);  // the run before was split, not this one
  EXPECT_EQ(at.packet_count(), 2U);
  at.next();
  EXPECT_TRUE(at.at_end());
}

}  // namespace
}  // namespace qmux::net
