// SPDX-License-Identifier: MIT
#include "quic/handshake_admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <vector>

#include "quic/limits.h"
#include "sim/pair.h"

namespace qmux::quic {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Begins a handshake whenever an Initial has its turn.
class HandshakeAdmissionTest : public ::testing::Test, public HandshakeAdmission::Events {
 protected:
  void initial_turn(const io::PacketRun& run) override {
    turns.push_back(run.remote.host_text());
    slots.push_back(admission.begun(run.remote, standing));
    slots.back().charge(cost);
  }
  void wait(const Address& from) {
    admission.wait(*this, {.local = {}, .remote = from, .bytes = packet, .segment_bytes = packet.size()}, standing);
  }
  /// Begins as many as it may from there, with pauses, so that time is no bound; returns how many.
  std::size_t begin_all(const Address& from) {
    std::size_t count = 0;
    for (; admission.may_begin(from, standing); ++count) {
      slots.push_back(admission.begun(from, standing));
      pass();
    }
    return count;
  }
  void pass() {
    pair.b.request_pass();
    pair.run_for(milliseconds(1));
  }
  void take_all_time() { admission.begun(address("192.0.2.99"), standing).charge(limits::kHandshakeCostTimeMax); }
  /// `duration` of passes.
  void serve_for(Duration duration) {
    for (const Time end = pair.b.now() + duration; pair.b.now() < end;) {
      pass();
      admission.serve();
    }
  }
  static Address address(const std::string& ip, std::uint16_t port = 1000) { return *Address::from_literal(ip, port); }

  sim::Pair pair;
  HandshakeLoad load;
  HandshakeAdmission admission{pair.b, load, 1};
  Standing standing = Standing::unknown;
  Duration cost{};
  std::array<std::byte, 1200> packet{};
  std::vector<std::string> turns;
  std::vector<HandshakePermit> slots;
};

TEST_F(HandshakeAdmissionTest, one_source_leaves_as_much_room_as_it_takes) {
  EXPECT_EQ(begin_all(address("192.0.2.1")), limits::kUnprovenConnectionsOfKindMax / 2);
  EXPECT_FALSE(admission.may_begin(address("192.0.2.1", 2000), standing)) << "whatever its port";
  EXPECT_TRUE(admission.may_begin(address("192.0.2.2"), standing));
}

TEST_F(HandshakeAdmissionTest, a_64_of_ipv6_is_one_source) {
  EXPECT_EQ(begin_all(address("2001:db8::1")), limits::kUnprovenConnectionsOfKindMax / 2);
  EXPECT_FALSE(admission.may_begin(address("2001:db8::2"), standing));
  EXPECT_TRUE(admission.may_begin(address("2001:db8:0:1::1"), standing));
}

TEST_F(HandshakeAdmissionTest, many_sources_have_equal_shares_once_their_first_connections_have_ended) {
  std::array<std::vector<HandshakePermit>, 5> held;
  for (int round = 0; round < 300; ++round) {
    for (std::size_t i = 0; i < held.size(); ++i) {
      if (!held[i].empty()) held[i].pop_back();
      begin_all(address("192.0.2." + std::to_string(1 + i)));
      std::ranges::move(slots, std::back_inserter(held[i]));
      slots.clear();
    }
  }
  const std::size_t share = limits::kUnprovenConnectionsOfKindMax / 6;
  for (const auto& each : held) EXPECT_NEAR(static_cast<double>(each.size()), static_cast<double>(share), 6);
  EXPECT_TRUE(admission.may_begin(address("198.51.100.1"), standing)) << "and leave another one's";
}

TEST_F(HandshakeAdmissionTest, a_client_that_has_registered_takes_no_room) {
  begin_all(address("192.0.2.1"));
  slots.back().proven();
  EXPECT_TRUE(admission.may_begin(address("192.0.2.1"), standing));
  slots.clear();
  EXPECT_EQ(load.unproven(), 0U);
}

TEST_F(HandshakeAdmissionTest, known_clients_have_room_and_time_of_their_own) {
  for (int host = 1; host <= 250; ++host) begin_all(address("192.0.2." + std::to_string(host)));
  EXPECT_EQ(load.unproven(), limits::kUnprovenConnectionsOfKindMax);
  take_all_time();
  EXPECT_FALSE(admission.may_begin(address("198.51.100.1"), standing));
  EXPECT_TRUE(admission.may_begin(address("198.51.100.1"), Standing::known));
}

TEST_F(HandshakeAdmissionTest, sources_that_wait_take_turns) {
  take_all_time();
  for (int i = 0; i < 100; ++i) wait(address("192.0.2.1"));
  wait(address("192.0.2.2"));
  wait(address("192.0.2.3"));
  serve_for(milliseconds(500));
  ASSERT_GE(turns.size(), 4U);
  turns.resize(4);
  EXPECT_EQ(turns, (std::vector<std::string>{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1"}));
}

TEST_F(HandshakeAdmissionTest, handshakes_take_their_part_of_the_time_and_no_more) {
  cost = milliseconds(2);
  standing = Standing::known;
  for (int i = 0; i < 400; ++i) wait(address("192.0.2." + std::to_string(i % 200)));
  serve_for(milliseconds(100));
  const double took = static_cast<double>(turns.size()) * 0.0021;
  EXPECT_NEAR(took, 0.1 * limits::kKnownHandshakeTimeShare + 0.01, 0.005);
}

TEST_F(HandshakeAdmissionTest, what_waits_is_bounded_and_one_source_takes_half) {
  take_all_time();
  for (std::size_t i = 0; i < 2 * limits::kInitialsWaitingMax; ++i) wait(address("192.0.2.1"));
  EXPECT_EQ(admission.waiting_count(), limits::kInitialsWaitingMax / 2);
  EXPECT_EQ(admission.counters().waiting_full, limits::kInitialsWaitingMax * 3 / 2);
  for (std::size_t i = 0; i < 2 * limits::kInitialsWaitingMax; ++i) {
    wait(address("198.51." + std::to_string(i / 200) + "." + std::to_string(1 + i % 200)));
  }
  EXPECT_EQ(admission.waiting_count(), limits::kInitialsWaitingMax);
}

TEST_F(HandshakeAdmissionTest, what_has_waited_too_long_is_dropped) {
  begin_all(address("192.0.2.1"));
  wait(address("192.0.2.1"));
  serve_for(limits::kInitialWaitTimeMax - milliseconds(10));
  EXPECT_EQ(admission.waiting_count(), 1U);
  serve_for(milliseconds(20));
  EXPECT_EQ(admission.waiting_count(), 0U);
  EXPECT_EQ(admission.counters().waited_too_long, 1U);
  EXPECT_TRUE(turns.empty());
}

TEST_F(HandshakeAdmissionTest, a_source_that_has_its_share_keeps_no_other_from_its_turn) {
  begin_all(address("192.0.2.1"));
  wait(address("192.0.2.1"));
  wait(address("192.0.2.2"));
  serve_for(milliseconds(10));
  EXPECT_EQ(turns, std::vector<std::string>{"192.0.2.2"});
  slots.clear();
  serve_for(milliseconds(10));
  EXPECT_EQ(turns.back(), "192.0.2.1");
}

TEST_F(HandshakeAdmissionTest, an_endpoint_that_goes_leaves_nothing_waiting) {
  take_all_time();
  wait(address("192.0.2.1"));
  wait(address("192.0.2.1"));
  wait(address("192.0.2.2"));
  admission.forget(*this);
  EXPECT_EQ(admission.waiting_count(), 0U);
  serve_for(seconds(5));
  EXPECT_TRUE(turns.empty());
}

TEST(HandshakeLoad, asks_for_a_retry_by_number_and_by_rate) {
  HandshakeLoad load;
  const Time start{seconds(1000)};
  for (std::size_t i = 0; i < limits::kHandshakesBeforeRetry; ++i) {
    EXPECT_FALSE(load.retry_wanted(start));
    load.begun(Standing::unknown, start);
    load.ended(Standing::unknown);
  }
  EXPECT_TRUE(load.retry_wanted(start)) << "although each was refused at once";
  EXPECT_FALSE(load.retry_wanted(start + seconds(1)));
}

TEST(HandshakeLoad, clients_that_register_do_not_count) {
  HandshakeLoad load;
  const Time start{seconds(1000)};
  for (std::size_t i = 0; i < 10 * limits::kHandshakesBeforeRetry; ++i) {
    load.begun(Standing::known, start);
    load.proven(Standing::known);
  }
  EXPECT_FALSE(load.retry_wanted(start));
}

}  // namespace
}  // namespace qmux::quic
