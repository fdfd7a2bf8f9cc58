// SPDX-License-Identifier: MIT
#include "tunnel/control/control_stream.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tunnel/fakes/loop.h"
#include "tunnel/fakes/messages.h"
#include "tunnel/fakes/stream_peer.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using std::chrono::seconds;
using testing::bytes_of;
using testing::take_messages;

class ControlStreamTest : public ::testing::Test, private ControlEvents {
 protected:
  void peer_sends(const std::string& bytes) {
    peer_.sends(bytes);
    peer_.deliver_events();
  }
  /// What the peer has received since the last call, as messages.
  std::vector<wire::Message> peer_receives() {
    peer_.takes();
    return take_messages(peer_.received);
  }

  ChunkPool chunks_;
  testing::FakeLoop loop_;
  testing::StreamPeer peer_{chunks_};
  std::vector<wire::Message> heard_;
  std::optional<ControlFailure> failure_;
  int failures_ = 0;
  bool finished_ = false;
  Time last_data_{};
  ControlStream control_{loop_, peer_.stream(), {.heartbeat_interval = seconds(10), .timeout = seconds(30)}, *this};

 private:
  [[nodiscard]] bool control_message(const wire::Message& message) override {
    heard_.push_back(message);
    return true;
  }
  void control_failed(const ControlFailure& failure) override {
    failure_ = failure;
    ++failures_;
  }
  void control_finished() override { finished_ = true; }
  [[nodiscard]] Time last_data() const override { return last_data_; }
};

TEST_F(ControlStreamTest, hears_messages_in_any_pieces) {
  const std::string bytes = bytes_of(wire::GoAway{.reason = "one"}) + bytes_of(wire::GoAway{.reason = "two"});
  for (const char byte : bytes) peer_sends(std::string(1, byte));
  ASSERT_EQ(heard_.size(), 2U);
  EXPECT_EQ(std::get<wire::GoAway>(heard_[1]).reason, "two");
  EXPECT_EQ(peer_.stream().readable_bytes(), 0U);
}

TEST_F(ControlStreamTest, ignores_messages_of_unknown_types) {
  peer_sends(std::string("\x42\x00\x00\x00\x03"
                         "abc",
                         8) +
             bytes_of(wire::GoAway{.reason = "after"}));
  EXPECT_EQ(heard_.size(), 1U);
  EXPECT_FALSE(failure_);
}

TEST_F(ControlStreamTest, sends_a_heartbeat_every_interval) {
  control_.start_heartbeats();
  loop_.advance(seconds(9));
  EXPECT_TRUE(peer_receives().empty());
  loop_.advance(seconds(12));
  EXPECT_EQ(peer_receives().size(), 2U);
}

TEST_F(ControlStreamTest, a_peer_that_stays_silent_fails_once) {
  control_.start_heartbeats();
  loop_.advance(seconds(29));
  EXPECT_FALSE(failure_);
  loop_.advance(seconds(61));
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->kind, ControlFailure::Kind::silent);
  EXPECT_EQ(failures_, 1);
}

TEST_F(ControlStreamTest, every_message_is_a_sign_of_life) {
  control_.start_heartbeats();
  for (int i = 0; i < 5; ++i) {
    loop_.advance(seconds(29));
    peer_sends(bytes_of(wire::Heartbeat{}));
  }
  EXPECT_FALSE(failure_);
}

TEST_F(ControlStreamTest, other_times_apply_from_then_on) {
  control_.start_heartbeats();
  control_.set_health({.heartbeat_interval = seconds(2), .timeout = seconds(5)});
  loop_.advance(seconds(2));
  EXPECT_EQ(peer_receives().size(), 1U);
  loop_.advance(seconds(3));
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->kind, ControlFailure::Kind::silent);
}

TEST_F(ControlStreamTest, the_same_times_put_no_heartbeat_off) {
  control_.start_heartbeats();
  loop_.advance(seconds(9));
  control_.set_health({.heartbeat_interval = seconds(10), .timeout = seconds(30)});
  loop_.advance(seconds(1));
  EXPECT_EQ(peer_receives().size(), 1U);
}

TEST_F(ControlStreamTest, data_is_a_sign_of_life_while_heartbeats_wait_behind_it) {
  control_.start_heartbeats();
  for (int i = 0; i < 5; ++i) {
    loop_.advance(seconds(10));
    last_data_ = loop_.now();
  }
  EXPECT_FALSE(failure_);
  loop_.advance(seconds(29));
  EXPECT_FALSE(failure_);
  loop_.advance(seconds(1));
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->kind, ControlFailure::Kind::silent);
}

TEST_F(ControlStreamTest, a_peer_that_sends_data_and_no_message_for_four_timeouts_fails) {
  control_.start_heartbeats();
  for (int i = 0; i < 119; ++i) {
    loop_.advance(seconds(1));
    last_data_ = loop_.now();
  }
  EXPECT_FALSE(failure_);
  loop_.advance(seconds(1));
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->kind, ControlFailure::Kind::silent);
}

TEST_F(ControlStreamTest, what_is_no_message_fails) {
  peer_sends(std::string("\x03\xff\xff\xff\xff", 5));
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->kind, ControlFailure::Kind::malformed);
  peer_sends("and more");
  EXPECT_EQ(failures_, 1);
}

TEST_F(ControlStreamTest, a_flood_of_messages_fails) {
  std::string bytes;
  for (int i = 0; i <= static_cast<int>(limits::kControlBurstMessagesMax); ++i) bytes += bytes_of(wire::Heartbeat{});
  peer_sends(bytes);
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->kind, ControlFailure::Kind::flood);
}

TEST_F(ControlStreamTest, the_peers_fin_and_reset_fail) {
  peer_.finishes();
  peer_.deliver_events();
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->kind, ControlFailure::Kind::ended);
}

TEST_F(ControlStreamTest, finish_is_told_once_the_peer_has_everything) {
  control_.send(wire::RegisterAck{.success = false, .message = "no", .capabilities = {}});
  control_.finish();
  peer_.deliver_events();
  EXPECT_FALSE(finished_);
  EXPECT_EQ(peer_receives().size(), 1U);
  peer_.deliver_events();
  EXPECT_TRUE(finished_);
}

TEST_F(ControlStreamTest, after_finish_the_peer_is_not_heard) {
  control_.finish();
  peer_sends(bytes_of(wire::GoAway{.reason = "late"}) + "garbage");
  EXPECT_TRUE(heard_.empty());
  EXPECT_FALSE(failure_);
}

}  // namespace
}  // namespace qmux::tunnel
