// SPDX-License-Identifier: MIT
//
// Which of the addresses of a server's name a client ends up with, and how soon.
#include "tunnel/client/server_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tunnel/client/cluster.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::logged;
using ::testing::Not;

const Address kNowhere = *Address::parse("198.51.100.1:0");
const Address kNowhereElse = *Address::parse("198.51.100.2:0");

class AddressesOfAServer : public testing::Cluster {
 protected:
  /// Starts the client with the name of these addresses.
  void start_with(std::vector<Address> addresses) {
    world_.network().set_name("cluster", std::move(addresses));
    start_client(options({named("cluster")}));
  }
};

TEST_F(AddressesOfAServer, one_that_swallows_packets_costs_a_quarter_of_a_second) {
  add_servers(1);
  start_with({kNowhere, quic_address(0)});
  EXPECT_FALSE(run_until([&] { return registered(0) == 1; }, 240ms));
  EXPECT_TRUE(run_until([&] { return registered(0) == 1; }, 150ms));
}

TEST_F(AddressesOfAServer, those_that_swallow_packets_delay_nothing_by_their_timeouts) {
  add_servers(1);
  start_with(
      {kNowhere, kNowhereElse, *Address::parse("198.51.100.3:0"), *Address::parse("198.51.100.4:0"), quic_address(0)});
  EXPECT_TRUE(run_until([&] { return registered(0) == 1; }, 1200ms));
}

TEST_F(AddressesOfAServer, one_without_a_server_costs_no_more_than_that) {
  add_host();
  add_servers(1);
  const std::string log = logged([&] {
    start_with({quic_address(0), quic_address(1)});
    EXPECT_TRUE(run_until([&] { return links()[0]->is_registered(); }, 400ms));
  });
  EXPECT_THAT(log, ContainsRegex("server connected server=cluster:4433 address=" + quic_address(1).host_text()));
}

TEST_F(AddressesOfAServer, the_first_handshake_wins_and_the_other_attempts_end) {
  add_servers(2);
  world_.network().link(client_host_, *nodes_[0].host).properties().delay = 400ms;
  start_with({quic_address(0), quic_address(1)});
  ASSERT_TRUE(run_until([&] { return registered(1) == 1; }, 1s));
  EXPECT_EQ(handshakes_begun(), 2U);
  EXPECT_TRUE(run_until([&] { return links()[0]->endpoints().size() == 1; }, 20s));
  world_.run_for(5s);
  EXPECT_EQ(registered(0), 0U);
  EXPECT_EQ(registered(1), 1U);
  EXPECT_EQ(handshakes_begun(), 2U);
}

TEST_F(AddressesOfAServer, the_others_follow_when_the_winner_refuses_the_client) {
  start(add_host(), "foreign_ca");
  add_servers(1);
  world_.network().link(client_host_, *nodes_[1].host).properties().delay = 400ms;
  const std::string log = logged([&] {
    start_with({quic_address(0), quic_address(1)});
    EXPECT_TRUE(run_until([&] { return registered(1) == 1; }, 2s));
  });
  EXPECT_THAT(log, ContainsRegex("server not reached .*address=" + quic_address(0).host_text()));
}

TEST_F(AddressesOfAServer, a_round_that_has_failed_names_every_address_and_is_made_again) {
  add_host();
  add_host();
  const std::string log = logged([&] {
    start_with({quic_address(0), quic_address(1)});
    world_.run_for(1400ms);
  });
  EXPECT_THAT(log, AllOf(ContainsRegex("address=" + quic_address(0).host_text() + ".*other_addresses=1"),
                         ContainsRegex("address=" + quic_address(1).host_text() + ".*retry_in_ms=0")));
  EXPECT_THAT(log, Not(HasSubstr("still connecting")));
  start(1);
  EXPECT_TRUE(run_until([&] { return registered(1) == 1; }, 3s));
}

TEST_F(AddressesOfAServer, the_name_is_looked_up_again_after_a_loss) {
  add_servers(2);
  start_with({quic_address(0)});
  ASSERT_TRUE(run_until([&] { return registered(0) == 1; }, 1s));
  set_name("cluster", {1});
  nodes_[0].server->stop();
  EXPECT_TRUE(run_until([&] { return registered(1) == 1; }, 3s));
}

TEST_F(AddressesOfAServer, a_stop_in_the_middle_of_a_race_ends_every_attempt) {
  start_with({kNowhere, kNowhereElse});
  world_.run_for(600ms);
  EXPECT_EQ(handshakes_begun(), 2U);
  client_->stop();
  EXPECT_TRUE(run_until([&] { return client_stopped_; }, 10ms));
}

TEST_F(AddressesOfAServer, a_connection_to_a_known_address_repeats_a_lost_packet_sooner) {
  add_servers(1);
  start_with({quic_address(0)});
  ASSERT_TRUE(run_until([&] { return registered(0) == 1; }, 1s));
  nodes_[0].server.reset();
  // It is back just after the client's next first packet was lost.
  ASSERT_TRUE(run_until([&] { return !links()[0]->is_registered(); }, 60s));
  const std::uint64_t before = handshakes_begun();
  nodes_[0].host->set_dark(true);
  ASSERT_TRUE(run_until([&] { return handshakes_begun() > before; }, 60s));
  world_.run_for(20ms);
  nodes_[0].host->set_dark(false);
  start(0);
  EXPECT_TRUE(run_until([&] { return registered(0) == 1; }, 400ms));
}

}  // namespace
}  // namespace qmux::tunnel
