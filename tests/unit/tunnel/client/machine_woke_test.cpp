// SPDX-License-Identifier: MIT
//
// A client whose machine has been asleep. The loop's clock stands still meanwhile, so the client learns of it when it wakes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tunnel/client/cluster.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using ::testing::ContainsRegex;
using testing::logged;

class MachineWoke : public testing::Cluster {
 protected:
  void begin() {
    add_servers(1);
    start_client(options({entry(0)}));
    ASSERT_TRUE(run_until([&] { return registered(0) == 1; }, 1s));
    world_.run_for(10s);
  }
};

TEST_F(MachineWoke, after_a_long_sleep_it_connects_at_once) {
  begin();
  const std::uint64_t before = handshakes_begun();
  const std::string log = logged([&] {
    client_->machine_woke(0, 10min);
    EXPECT_TRUE(run_until([&] { return handshakes_begun() > before && links()[0]->is_registered(); }, 200ms));
  });
  EXPECT_THAT(log, ContainsRegex("server disconnected .*cause=\"this machine was asleep for longer"));
  EXPECT_TRUE(run_until([&] { return registered(0) == 1; }, 1s));
}

TEST_F(MachineWoke, after_a_short_sleep_tunnels_go_on) {
  begin();
  testing::TcpEnd& visitor = visit(0);
  const std::uint64_t before = handshakes_begun();
  client_->machine_woke(0, 5s);
  world_.run_for(3s);
  visitor.send("x");
  EXPECT_TRUE(run_until([&] { return service_.guests[0].received == "x"; }, 1s));
  EXPECT_EQ(handshakes_begun(), before);
}

TEST_F(MachineWoke, a_server_that_has_forgotten_the_client_meanwhile_is_found_out_within_a_round_trip) {
  begin();
  nodes_[0].server.reset();
  start(0);
  client_->machine_woke(0, 5s);
  EXPECT_TRUE(run_until([&] { return registered(0) == 1; }, 200ms));
}

TEST_F(MachineWoke, an_attempt_that_waits_is_made_at_once) {
  add_servers(1);
  kill(0);
  start_client(options({entry(0)}));
  world_.run_for(100s);
  ASSERT_TRUE(run_until([&] { return links()[0]->endpoints().empty(); }, 10s));
  nodes_[0].host->set_dark(false);
  start(0);
  client_->machine_woke(0, 1h);
  EXPECT_TRUE(run_until([&] { return registered(0) == 1; }, 200ms));
}

}  // namespace
}  // namespace qmux::tunnel
