// SPDX-License-Identifier: MIT
//
// A client of a server with `all_addresses` follows the name of a cluster.
#include "tunnel/client/name_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tunnel/client/cluster.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::logged;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

std::vector<Address> many_addresses(int count) {
  std::vector<Address> all;
  for (int i = 1; i <= count; ++i) all.push_back(*Address::from_literal("198.51.100." + std::to_string(i), 4433));
  return all;
}

TEST(ChooseAddresses, takes_each_once_and_the_same_ones_in_whatever_order_they_come) {
  std::vector<Address> all = many_addresses(100);
  const auto chosen = choose_addresses(all, 32);
  EXPECT_EQ(chosen.size(), 32U);
  std::ranges::reverse(all);
  all.insert(all.end(), all.begin(), all.begin() + 50);
  EXPECT_THAT(choose_addresses(all, 32), UnorderedElementsAreArray(chosen));
  EXPECT_EQ(choose_addresses(many_addresses(3), 32).size(), 3U);
}

class AllAddresses : public testing::Cluster {
 protected:
  explicit AllAddresses(std::size_t workers = 1) : Cluster(workers) {}
  void start_with(const std::vector<std::size_t>& indexes) {
    set_name("cluster", indexes);
    start_client(options({named("cluster", true)}));
  }
};

TEST_F(AllAddresses, gets_a_connection_each) {
  add_servers(3);
  start_with({0, 1, 2});
  EXPECT_TRUE(run_until([&] { return serves_exactly({0, 1, 2}); }, 1s));
}

TEST_F(AllAddresses, a_dead_one_delays_no_other) {
  add_servers(2);
  kill(0);
  start_with({0, 1});
  EXPECT_TRUE(run_until([&] { return registered(1) == 1; }, 100ms));
}

TEST_F(AllAddresses, an_address_that_comes_is_connected_and_the_others_stay) {
  add_servers(3);
  start_with({0, 1});
  ASSERT_TRUE(run_until([&] { return serves_exactly({0, 1}); }, 1s));
  testing::TcpEnd& visitor = visit(0);
  const std::uint64_t before = handshakes_begun();
  set_name("cluster", {2, 1, 0});
  EXPECT_TRUE(run_until([&] { return serves_exactly({0, 1, 2}); }, 31s));
  EXPECT_EQ(handshakes_begun(), before + 1);
  visitor.send("still here");
  EXPECT_TRUE(run_until([&] { return service_.guests[0].received == "still here"; }, 1s));
}

TEST_F(AllAddresses, an_address_that_goes_is_drained_and_not_cut) {
  add_servers(2);
  start_with({0, 1});
  ASSERT_TRUE(run_until([&] { return serves_exactly({0, 1}); }, 1s));
  testing::TcpEnd& visitor = visit(0);
  set_name("cluster", {1});
  world_.run_for(32s);
  EXPECT_EQ(links().size(), 2U);
  testing::TcpEnd& late = visitors_.emplace_back(*visitors_loop_.connect_tcp(nodes_[0].server->traffic_address(0)));
  EXPECT_TRUE(run_until([&] { return late.reset || late.ended; }, 1s)) << "the client takes no more from this server";
  visitor.send("bye");
  EXPECT_TRUE(run_until([&] { return service_.guests[0].received == "bye"; }, 1s));
  visitor.finish();
  service_.guests[0].finish();
  EXPECT_TRUE(run_until([&] { return links().size() == 1 && serves_exactly({1}); }, 3s));
}

TEST_F(AllAddresses, what_a_removed_address_carries_ends_after_the_drain_timeout) {
  add_servers(2);
  start_with({0, 1});
  ASSERT_TRUE(run_until([&] { return serves_exactly({0, 1}); }, 1s));
  const testing::TcpEnd& visitor = visit(0);
  set_name("cluster", {1});
  ASSERT_TRUE(
      run_until([&] { return links().size() == 2 && (links()[0]->is_leaving() || links()[1]->is_leaving()); }, 31s));
  EXPECT_FALSE(run_until([&] { return visitor.reset; }, kDrainTimeout - 1s));
  EXPECT_TRUE(run_until([&] { return visitor.reset && links().size() == 1; }, 3s));
}

TEST_F(AllAddresses, an_address_that_comes_back_while_it_drains_gets_a_new_connection) {
  add_servers(2);
  ClientOptions quick = options({named("cluster", true)});
  quick.resolve_interval = 1s;
  set_name("cluster", {0, 1});
  start_client(std::move(quick));
  ASSERT_TRUE(run_until([&] { return serves_exactly({0, 1}); }, 1s));
  testing::TcpEnd& visitor = visit(0);
  set_name("cluster", {1});
  world_.run_for(3s);
  set_name("cluster", {0, 1});
  ASSERT_TRUE(run_until([&] { return registered(0) == 2; }, 3s)) << "the one that drains and the new one";
  (void)visit(0);
  visitor.finish();
  service_.guests[0].finish();
  EXPECT_TRUE(run_until([&] { return serves_exactly({0, 1}); }, 3s));
}

TEST_F(AllAddresses, a_name_that_fails_is_warned_of_once_and_changes_nothing) {
  add_servers(2);
  start_with({0, 1});
  ASSERT_TRUE(run_until([&] { return serves_exactly({0, 1}); }, 1s));
  const std::uint64_t before = handshakes_begun();
  set_name("cluster", {});
  const std::string log = logged([&] { world_.run_for(200s); });
  EXPECT_THAT(log, ContainsRegex("warning server name not resolved server=cluster:4433 cause="));
  EXPECT_EQ(log.find("server name not resolved"), log.rfind("server name not resolved"));
  EXPECT_TRUE(serves_exactly({0, 1}));
  EXPECT_EQ(handshakes_begun(), before);
  set_name("cluster", {1});
  EXPECT_TRUE(run_until([&] { return serves_exactly({1}); }, 32s));
}

TEST_F(AllAddresses, a_name_that_is_not_there_yet_is_looked_up_again_soon) {
  add_servers(1);
  start_with({});
  world_.run_for(10s);
  set_name("cluster", {0});
  EXPECT_TRUE(run_until([&] { return registered(0) == 1; }, limits::kLocalRetryTimeMax + 200ms));
}

TEST_F(AllAddresses, of_too_many_some_are_used_and_that_is_warned_of_once) {
  world_.network().set_name("cluster", many_addresses(100));
  const std::string log = logged([&] {
    start_client(options({named("cluster", true)}));
    world_.run_for(70s);
  });
  EXPECT_EQ(links().size(), limits::kAddressesPerNameMax);
  EXPECT_THAT(log, ContainsRegex("too many addresses of one server server=cluster:4433 addresses=100 used=32"));
  EXPECT_EQ(log.find("too many addresses"), log.rfind("too many addresses"));
  EXPECT_THAT(log, Not(HasSubstr("server removed")));
}

TEST_F(AllAddresses, a_stop_waits_for_what_drains) {
  add_servers(2);
  start_with({0, 1});
  ASSERT_TRUE(run_until([&] { return serves_exactly({0, 1}); }, 1s));
  testing::TcpEnd& visitor = visit(0);
  set_name("cluster", {1});
  world_.run_for(31s);
  client_->stop();
  EXPECT_FALSE(run_until([&] { return client_stopped_; }, 2s));
  visitor.finish();
  service_.guests[0].finish();
  EXPECT_TRUE(run_until([&] { return client_stopped_; }, 3s));
}

class AllAddressesOfThreeWorkers : public AllAddresses {
 protected:
  AllAddressesOfThreeWorkers() : AllAddresses(3) {}
};

TEST_F(AllAddressesOfThreeWorkers, are_shared_out_among_them) {
  add_servers(8);
  start_with({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_TRUE(run_until([&] { return serves_exactly({0, 1, 2, 3, 4, 5, 6, 7}); }, 1s));
  EXPECT_EQ(links().size(), 8U);
  EXPECT_LT(client_->worker(0).links().size(), 8U);
  set_name("cluster", {1, 3, 5, 7});
  EXPECT_TRUE(run_until([&] { return serves_exactly({1, 3, 5, 7}); }, 35s));
  client_->stop();
  EXPECT_TRUE(run_until([&] { return client_stopped_; }, 3s));
}

}  // namespace
}  // namespace qmux::tunnel
