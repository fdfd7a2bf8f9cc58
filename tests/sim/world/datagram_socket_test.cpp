// SPDX-License-Identifier: MIT
#include "sim/world/datagram_socket.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "sim/world/port.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

TEST(DatagramSocket, sends_a_run_as_segments_and_receives_them_in_order) {
  Ends ends;
  ends.near.send(ends.b_host.v4(200), "aabbccd", 2);
  ends.run_for(1s);
  EXPECT_EQ(ends.far.got, (std::vector<std::string>{"aa", "bb", "cc", "d"}));
}

TEST(DatagramSocket, when_blocked_is_notified_of_room) {
  Ends ends;
  ends.a_host.set_send_block_chance(1);
  EXPECT_EQ(ends.near.send(ends.b_host.v4(200), "x"), io::SendStatus::would_block);
  ends.a_host.set_send_block_chance(0);
  EXPECT_EQ(ends.near.send(ends.b_host.v4(200), "x"), io::SendStatus::would_block);
  ASSERT_TRUE(ends.run_until([&] { return ends.near.writable_count == 1; }));
  EXPECT_EQ(ends.near.send(ends.b_host.v4(200), "x"), io::SendStatus::sent);
}

TEST(DatagramSocket, connected_hears_its_peer_alone) {
  Ends ends;
  Port connected(ends.a, {.local = {}, .remote = ends.b_host.v4(200)});
  ASSERT_TRUE(connected.socket);
  EXPECT_TRUE(connected.socket->local_address().same_host(ends.a_host.v4(0)));
  Port stranger(ends.b, bound(ends.b_host.v4(201)));
  stranger.send(connected.socket->local_address(), "no");
  ends.far.send(connected.socket->local_address(), "yes");
  ends.run_for(1s);
  EXPECT_EQ(connected.got, std::vector<std::string>{"yes"});
}

TEST(DatagramSocket, refuses_an_address_in_use_or_of_another_host) {
  Ends ends;
  EXPECT_FALSE(Port(ends.a, bound(ends.a_host.v4(100))).socket);
  EXPECT_FALSE(Port(ends.a, bound(Address::any(AF_INET, 100))).socket);
  EXPECT_FALSE(Port(ends.a, bound(ends.b_host.v4(300))).socket);
  EXPECT_TRUE(Port(ends.a, bound(ends.a_host.v6(100))).socket);
}

TEST(DatagramSocket, sharing_a_port_is_steered_by_connection_id) {
  Ends ends;
  SimLoop second_loop(ends.b_host, "b2");
  Port first(ends.b, shared(ends.b_host.v4(443), 2));
  Port second(second_loop, shared(ends.b_host.v4(443), 2));
  const auto packet = [](bool long_header, char id) {
    std::string text(20, '\0');
    text[0] = static_cast<char>(long_header ? 0xc0 : 0x40);
    text[long_header ? 6 : 1] = id;
    return text;
  };
  for (const bool long_header : {false, true}) {
    ends.near.send(ends.b_host.v4(443), packet(long_header, 4));
    ends.near.send(ends.b_host.v4(443), packet(long_header, 7));
  }
  ends.run_for(1s);
  EXPECT_EQ(first.got, (std::vector<std::string>{packet(false, 4), packet(true, 4)}));
  EXPECT_EQ(second.got, (std::vector<std::string>{packet(false, 7), packet(true, 7)}));
}

TEST(DatagramSocket, sharing_a_port_without_steering_is_picked_by_addresses) {
  Ends ends;
  SimLoop second_loop(ends.b_host, "b2");
  Port first(ends.b, shared(ends.b_host.v4(443), 0));
  Port second(second_loop, shared(ends.b_host.v4(443), 0));
  for (std::uint16_t port = 1000; port < 1050; ++port)
    Port(ends.a, bound(ends.a_host.v4(port))).send(ends.b_host.v4(443), "x");
  ends.run_for(1s);
  EXPECT_EQ(first.got.size() + second.got.size(), 50U);
  EXPECT_GT(first.got.size(), 10U);
  EXPECT_GT(second.got.size(), 10U);
}

TEST(DatagramSocket, out_of_room_in_the_middle_of_a_run_sends_the_rest_later) {
  Ends ends;
  ends.a_host.set_send_block_chance(0.3);
  const std::string run = "aabbccddeeffgghhiij";
  io::SendStatus status = io::SendStatus::would_block;
  int blocked_count = 0;
  while ((status = ends.near.send(ends.b_host.v4(200), run, 2)) == io::SendStatus::would_block) {
    ++blocked_count;
    ends.run_for(1ms);
  }
  EXPECT_GT(blocked_count, 0);
  ends.run_for(1s);
  EXPECT_EQ(ends.far.got, (std::vector<std::string>{"aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh", "ii", "j"}));
}

io::PacketRun run_to(const Address& to, std::string_view text, std::size_t segment) {
  io::PacketRun run;
  run.remote = to;
  run.bytes = as_bytes(text);
  run.segment_bytes = segment;
  return run;
}

TEST(DatagramSocket, sends_to_many_peers_at_once_and_keeps_empty_packets_apart) {
  Ends ends;
  Port other(ends.b, bound(ends.b_host.v4(201)));
  const std::array runs{run_to(ends.b_host.v4(200), "aabbc", 2), run_to(ends.b_host.v4(201), "", 0),
                        run_to(ends.b_host.v4(200), "", 0), run_to(ends.b_host.v4(201), "", 0)};
  EXPECT_EQ(ends.near.socket->send_all(runs), 0U);
  ends.run_for(1s);
  EXPECT_EQ(ends.far.got, (std::vector<std::string>{"aa", "bb", "c", ""}));
  EXPECT_EQ(other.got, (std::vector<std::string>{"", ""}));
}

TEST(DatagramSocket, sending_to_many_waits_for_nothing_and_says_what_it_lost) {
  Ends ends;
  const std::string too_long(1473, 'x');
  const std::array runs{run_to(ends.b_host.v4(200), too_long, 1473), run_to(ends.b_host.v4(200), "aabbc", 2)};
  ends.a_host.set_interface_mtu(1500);
  EXPECT_EQ(ends.near.socket->send_all(runs), 1U);
  ends.a_host.set_send_block_chance(1);
  EXPECT_EQ(ends.near.socket->send_all(runs), 4U);
  ends.run_for(1s);
  EXPECT_EQ(ends.far.got, (std::vector<std::string>{"aa", "bb", "c"}));
}

TEST(DatagramSocket, connected_learns_that_a_port_is_closed_and_goes_on) {
  for (const bool behind_nat : {false, true}) {
    Ends ends;
    if (behind_nat) ends.a_host.put_behind(ends.world.network().add_nat("nat"));
    Port connected(ends.a, {.local = {}, .remote = ends.b_host.v4(300)});
    connected.send({}, "hello?");
    ends.near.send(ends.b_host.v4(300), "an unconnected socket is not notified");
    ASSERT_TRUE(ends.run_until([&] { return connected.notified_count > 0; }));
    EXPECT_EQ(connected.socket->unreachable(), io::Unreachable::port);
    EXPECT_EQ(connected.socket->unreachable(), io::Unreachable::none);
    EXPECT_EQ(ends.near.notified_count, 0);

    Port late(ends.b, bound(ends.b_host.v4(300)));
    connected.send({}, "now");
    ends.run_for(1s);
    EXPECT_EQ(late.got, std::vector<std::string>{"now"});
    EXPECT_EQ(connected.socket->unreachable(), io::Unreachable::none);
  }
}

TEST(DatagramSocket, counts_what_its_buffer_had_no_room_for) {
  Ends ends;
  io::DatagramOptions options = bound(ends.b_host.v4(300));
  options.buffer_bytes = 1000;
  Port small(ends.b, options);
  ends.b.set_processing_time_max({});
  const std::string text(372, 'x');
  const std::array runs{run_to(ends.b_host.v4(300), text, 372), run_to(ends.b_host.v4(300), text, 372),
                        run_to(ends.b_host.v4(300), text, 372)};
  EXPECT_EQ(ends.near.socket->send_all(runs), 0U);
  ends.run_for(1s);
  EXPECT_EQ(small.got.size(), 2U);
  EXPECT_EQ(small.socket->overflowed(), 1U);
}

TEST(DatagramSocket, packets_that_may_be_fragmented_pass_a_narrow_link) {
  Ends ends;
  io::DatagramOptions options = bound(ends.a_host.v4(300));
  options.fragmentable = true;
  Port any_size(ends.a, options);
  ends.a_host.set_interface_mtu(1500);
  const std::string text(65'507, 'x');
  EXPECT_EQ(any_size.send(ends.b_host.v4(200), text), io::SendStatus::sent);
  ends.run_for(1s);
  EXPECT_EQ(ends.far.got, std::vector<std::string>{text});
}

}  // namespace
}  // namespace qmux::sim
