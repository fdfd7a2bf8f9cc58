// SPDX-License-Identifier: MIT
//
// A client whose options change while it runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
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

class Reload : public testing::Cluster {
 protected:
  explicit Reload(std::size_t workers = 1) : Cluster(workers) {}
  /// A client of the first `count` servers, registered with each.
  void begin(std::size_t count) {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(i);
    start_client(options(entries(all)));
    ASSERT_TRUE(run_until([&] { return serves_exactly(all); }, 1s));
  }
  [[nodiscard]] std::vector<ServerEntry> entries(const std::vector<std::size_t>& indexes) const {
    std::vector<ServerEntry> all;
    all.reserve(indexes.size());
    for (const std::size_t index : indexes) all.push_back(entry(index));
    return all;
  }
  [[nodiscard]] bool is_heard(testing::TcpEnd& visitor, std::size_t guest = 0) {
    const std::string before = service_.guests[guest].received;
    visitor.send("x");
    return run_until([&] { return service_.guests[guest].received == before + "x"; }, 1s);
  }
  void end(testing::TcpEnd& visitor, std::size_t guest = 0) {
    visitor.finish();
    service_.guests[guest].finish();
  }
};

TEST_F(Reload, with_the_same_options_touches_nothing) {
  add_servers(2);
  begin(2);
  testing::TcpEnd& visitor = visit(0);
  const std::uint64_t before = handshakes_begun();
  const std::string log = logged([&] {
    client_->reload(options(entries({1, 0})));
    world_.run_for(30s);
  });
  EXPECT_EQ(handshakes_begun(), before);
  EXPECT_TRUE(is_heard(visitor));
  EXPECT_EQ(links().size(), 2U);
  EXPECT_EQ(log, "");
}

TEST_F(Reload, serves_added_servers_and_leaves_removed_ones_when_their_visitors_have_gone) {
  add_servers(3);
  begin(2);
  testing::TcpEnd& stays = visit(0);
  testing::TcpEnd& leaves = visit(1);
  const std::uint64_t before = handshakes_begun();
  client_->reload(options(entries({2, 0})));
  ASSERT_TRUE(run_until([&] { return registered(2) == 1; }, 1s));
  EXPECT_EQ(handshakes_begun(), before + 1);
  EXPECT_TRUE(is_heard(leaves, 1));
  testing::TcpEnd& late = visitors_.emplace_back(*visitors_loop_.connect_tcp(nodes_[1].server->traffic_address(0)));
  EXPECT_TRUE(run_until([&] { return late.reset || late.ended; }, 1s));
  end(leaves, 1);
  EXPECT_TRUE(run_until([&] { return serves_exactly({0, 2}) && links().size() == 2; }, 3s));
  EXPECT_TRUE(is_heard(stays, 0));
}

TEST_F(Reload, removed_servers_are_left_after_the_drain_timeout_of_the_new_options) {
  add_servers(2);
  begin(2);
  const testing::TcpEnd& visitor = visit(1);
  ClientOptions changed = options(entries({0}));
  changed.drain_timeout = 3s;
  client_->reload(std::move(changed));
  EXPECT_FALSE(run_until([&] { return visitor.reset; }, 2900ms));
  EXPECT_TRUE(run_until([&] { return visitor.reset && links().size() == 1; }, 2s));
}

TEST_F(Reload, a_server_that_comes_back_while_it_drains_gets_a_new_connection_and_the_old_one_drains_on) {
  add_servers(2);
  begin(2);
  testing::TcpEnd& visitor = visit(1);
  client_->reload(options(entries({0})));
  world_.run_for(1s);
  client_->reload(options(entries({0, 1})));
  ASSERT_TRUE(run_until([&] { return registered(1) == 2; }, 1s));
  (void)visit(1);
  EXPECT_TRUE(is_heard(visitor));
  client_->reload(options(entries({1, 0})));
  end(visitor);
  EXPECT_TRUE(run_until([&] { return serves_exactly({0, 1}); }, 3s));
}

TEST_F(Reload, twice_in_one_pass_leaves_what_the_last_one_says) {
  add_servers(3);
  begin(1);
  client_->reload(options(entries({1})));
  client_->reload(options(entries({2})));
  EXPECT_TRUE(run_until([&] { return serves_exactly({2}) && links().size() == 1; }, 3s));
}

TEST_F(Reload, ends_attempts_and_look_ups_for_servers_that_are_not_listed_any_more) {
  add_servers(2);
  kill(0);
  world_.network().set_name("later", {quic_address(1)});
  start_client(options({entry(0), named("later")}));
  client_->reload(options({entry(0)}));  // before the name is resolved
  world_.run_for(1s);
  client_->reload(options({entry(1)}));  // in the middle of a handshake
  EXPECT_TRUE(run_until([&] { return serves_exactly({1}) && links().size() == 1; }, 1s));
}

TEST_F(Reload, another_client_id_is_that_of_every_new_connection_and_the_old_ones_drain) {
  add_servers(2);
  begin(2);
  testing::TcpEnd& visitor = visit(0);
  ClientOptions changed = options(entries({0, 1}));
  changed.client_id = "b";
  const std::string log = logged([&] {
    client_->reload(changed);
    EXPECT_TRUE(run_until([&] { return registered(0) == 2 && links().size() == 3; }, 3s));
  });
  EXPECT_THAT(log, ContainsRegex("client registered client_id=b"));
  EXPECT_TRUE(is_heard(visitor));
  (void)visit(0);
  EXPECT_EQ(registered(1), 1U);
  end(visitor);
  EXPECT_TRUE(run_until([&] { return serves_exactly({0, 1}); }, 3s));
}

TEST_F(Reload, new_visitors_reach_the_new_local_service) {
  add_servers(1);
  begin(1);
  testing::TcpEnd& visitor = visit(0, "one");
  Service other(service_loop_, 81, "two");
  ClientOptions changed = options(entries({0}));
  changed.local_service.address.port = 81;
  const std::uint64_t before = handshakes_begun();
  client_->reload(changed);
  (void)visit(0, "two");
  EXPECT_TRUE(is_heard(visitor));
  EXPECT_EQ(handshakes_begun(), before);
}

TEST_F(Reload, new_connections_use_the_new_credentials_and_old_ones_keep_theirs) {
  add_servers(2);
  begin(1);
  testing::TcpEnd& visitor = visit(0);
  const std::weak_ptr<const quic::Credentials> old = client_credentials_;
  client_credentials_ = quic::load_credentials("foreign_client", "ca", quic::Credentials::Purpose::client);
  client_->reload(options(entries({0, 1})));
  EXPECT_FALSE(run_until([&] { return registered(1) > 0; }, 3s)) << "it does not trust this certificate";
  EXPECT_TRUE(is_heard(visitor));
  EXPECT_FALSE(old.expired());
  client_credentials_ = quic::load_credentials("client", "ca", quic::Credentials::Purpose::client);
  client_->reload(options(entries({1})));
  end(visitor);
  EXPECT_TRUE(run_until([&] { return serves_exactly({1}) && links().size() == 1; }, 5s));
  EXPECT_TRUE(run_until([&] { return old.expired(); }, 5s));
}

TEST_F(Reload, does_not_wait_for_the_next_attempt) {
  add_servers(1);
  kill(0);
  ClientOptions slow = options(entries({0}));
  slow.transport.handshake_timeout = 500ms;
  start_client(slow);
  world_.run_for(100s);
  nodes_[0].host->set_dark(false);
  start(0);
  client_->reload(slow);
  EXPECT_TRUE(run_until([&] { return registered(0) == 1; }, 1s));
}

TEST_F(Reload, one_address_becomes_all_addresses) {
  add_servers(2);
  set_name("cluster", {0, 1});
  start_client(options({named("cluster")}));
  ASSERT_TRUE(run_until([&] { return serves_exactly({0}); }, 1s));
  client_->reload(options({named("cluster", true)}));
  EXPECT_TRUE(run_until([&] { return serves_exactly({0, 1}) && links().size() == 2; }, 5s));
  client_->reload(options({named("cluster")}));
  EXPECT_TRUE(run_until([&] { return serves_exactly({0}) && links().size() == 1; }, 5s));
}

TEST_F(Reload, changes_nothing_of_what_is_followed) {
  add_servers(3);
  set_name("cluster", {0, 1});
  start_client(options({named("cluster", true)}));
  ASSERT_TRUE(run_until([&] { return serves_exactly({0, 1}); }, 1s));
  const std::uint64_t before = handshakes_begun();
  client_->reload(options({named("cluster", true), entry(2)}));
  ASSERT_TRUE(run_until([&] { return serves_exactly({0, 1, 2}); }, 1s));
  EXPECT_EQ(handshakes_begun(), before + 1);
}

TEST_F(Reload, a_stop_waits_for_the_links_that_drain) {
  add_servers(2);
  begin(2);
  testing::TcpEnd& visitor = visit(1);
  client_->reload(options(entries({0})));
  world_.run_for(1s);
  client_->stop();
  EXPECT_FALSE(run_until([&] { return client_stopped_; }, 2s));
  EXPECT_TRUE(is_heard(visitor));
  end(visitor);
  EXPECT_TRUE(run_until([&] { return client_stopped_; }, 3s));
}

TEST_F(Reload, after_a_stop_changes_nothing) {
  add_servers(2);
  begin(1);
  client_->stop();
  client_->reload(options(entries({1})));
  EXPECT_TRUE(run_until([&] { return client_stopped_; }, 3s));
  EXPECT_EQ(registered(1), 0U);
}

class ReloadOfTwoWorkers : public Reload {
 protected:
  ReloadOfTwoWorkers() : Reload(2) {}
};

TEST_F(ReloadOfTwoWorkers, keeps_links_where_they_are_and_gives_new_ones_to_the_worker_with_fewer) {
  add_servers(4);
  begin(3);
  EXPECT_EQ(client_->worker(0).links().size(), 2U);
  const std::uint64_t before = handshakes_begun();
  client_->reload(options(entries({3, 2, 1, 0})));
  ASSERT_TRUE(run_until([&] { return serves_exactly({0, 1, 2, 3}); }, 1s));
  EXPECT_EQ(handshakes_begun(), before + 1);
  EXPECT_EQ(client_->worker(1).links().size(), 2U);
  client_->reload(options(entries({1})));
  EXPECT_TRUE(run_until([&] { return serves_exactly({1}) && links().size() == 1; }, 3s));
  EXPECT_TRUE(client_->worker(0).links().empty());
  client_->stop();
  EXPECT_TRUE(run_until([&] { return client_stopped_; }, 3s));
}

}  // namespace
}  // namespace qmux::tunnel
