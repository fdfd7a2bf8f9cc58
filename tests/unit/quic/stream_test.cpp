// SPDX-License-Identifier: MIT
//
// Every transition of RFC 9000 section 3 that a stream makes, what it asks of its connection with it, and what its owner is
// notified of. What only a bug of ours can ask for ends the program.
#include "quic/stream.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/chunk.h"

namespace qmux::quic {
namespace {

using Log = std::vector<std::string>;

constexpr std::array kSendStates{SendState::ready,      SendState::send,       SendState::data_sent,
                                 SendState::reset_sent, SendState::data_recvd, SendState::reset_recvd};
constexpr std::array kRecvStates{RecvState::recv, RecvState::data_recvd, RecvState::reset_recvd, RecvState::data_read,
                                 RecvState::reset_read};

std::string numbered(const char* text, std::uint64_t number) { return text + (" " + std::to_string(number)); }

/// A stream whose connection and owner are the test.
class Subject final : private StreamHost, private StreamEvents {
 public:
  Subject() { adopt(); }
  explicit Subject(SendState state) : Subject() { enter(state); }
  explicit Subject(RecvState state) : Subject() { enter(state); }

  void adopt() { stream.set_events(this); }
  void let_go() { stream.set_events(nullptr); }
  void send(std::string_view text) { stream.send_copy(as_bytes(text)); }
  void receive(std::string_view text, bool fin = false) { stream.receive(as_bytes(text), fin); }
  [[nodiscard]] std::string readable() const {
    std::array<ConstBytes, 2> views;
    return stream.readable(views) > 0 ? std::string(as_text(views[0])) : "";
  }
  /// What the connection was asked for since the last call.
  Log asked() { return std::exchange(asked_, {}); }
  /// What the owner is notified of.
  Log events() {
    if (stream.is_in_event_queue()) stream.deliver_events();
    return std::exchange(events_, {});
  }

 private:
  ChunkPool chunks_;

 public:
  std::size_t unsent_max = 100;
  bool release_when_readable = false;
  Stream stream{*this, chunks_, 4};

 private:
  void enter(SendState state) {
    send("abc");
    if (state == SendState::send) stream.sent(3, false);
    if (state == SendState::data_sent || state == SendState::data_recvd) {
      stream.finish();
      stream.sent(3, true);
    }
    if (state == SendState::data_recvd) stream.acknowledged(3);
    if (state == SendState::reset_sent || state == SendState::reset_recvd) stream.reset(ErrorCode::tcp_reset);
    if (state == SendState::reset_recvd) stream.closed();
    EXPECT_EQ(stream.send_state(), state);
    events();
    asked();
  }
  void enter(RecvState state) {
    receive("abc", state == RecvState::data_recvd || state == RecvState::data_read);
    if (state == RecvState::data_read) stream.drop(3);
    if (state == RecvState::reset_recvd || state == RecvState::reset_read) stream.reset_by_peer(7);
    if (state == RecvState::reset_read) events();
    EXPECT_EQ(stream.recv_state(), state);
    asked();
  }

  void stream_has_data(Stream&) override { asked_.emplace_back("send"); }
  void stream_consumed(Stream&, std::size_t bytes) override { asked_.push_back(numbered("credit", bytes)); }
  void stream_reset(Stream&, ErrorCode code) override {
    asked_.push_back(numbered("RESET_STREAM", static_cast<std::uint64_t>(code)));
  }
  void stream_stop_reading(Stream&, ErrorCode code) override {
    asked_.push_back(numbered("STOP_SENDING", static_cast<std::uint64_t>(code)));
  }
  void stream_has_events(Stream&) override { (void)stream.enter_event_queue(); }
  void stream_released(Stream&) override { asked_.emplace_back("released"); }
  [[nodiscard]] std::size_t unsent_bytes_max(const Stream&) const override { return unsent_max; }

  void stream_readable(Stream&) override {
    events_.emplace_back("readable");
    if (!release_when_readable) return;
    stream.release();
    EXPECT_FALSE(stream.disposable()) << "it is in use";
  }
  void stream_writable(Stream&) override { events_.emplace_back("writable"); }
  void stream_send_done(Stream&) override { events_.emplace_back("send done"); }

  Log asked_;
  Log events_;
};

// --- sending: figure 2 ---

TEST(Stream, sends_until_everything_is_acknowledged) {
  Subject subject;
  Stream& stream = subject.stream;
  subject.send("abcdef");
  EXPECT_EQ(subject.asked(), Log{"send"});
  EXPECT_EQ(stream.send_state(), SendState::ready);
  stream.sent(2, false);
  EXPECT_EQ(stream.send_state(), SendState::send);
  stream.acknowledged(2);
  stream.finish();
  EXPECT_EQ(subject.asked(), Log{"send"});
  EXPECT_EQ(stream.send_state(), SendState::send) << "FIN waits for its turn";
  EXPECT_TRUE(stream.fin_queued() && stream.has_unsent());
  stream.sent(4, true);
  EXPECT_EQ(stream.send_state(), SendState::data_sent);
  EXPECT_FALSE(stream.has_unsent());
  stream.acknowledged(3);
  EXPECT_EQ(stream.send_state(), SendState::data_sent);
  EXPECT_EQ(subject.events(), Log{});
  stream.acknowledged(1);
  EXPECT_EQ(stream.send_state(), SendState::data_recvd);
  EXPECT_EQ(subject.events(), Log{"send done"});
  EXPECT_FALSE(stream.send_stopped());
}

TEST(Stream, fin_alone_is_something_to_send) {
  Subject subject;
  Stream& stream = subject.stream;
  EXPECT_FALSE(stream.has_unsent());
  stream.finish();
  stream.finish();
  EXPECT_EQ(subject.asked(), Log{"send"});
  EXPECT_TRUE(stream.has_unsent());
  stream.sent(0, true);
  EXPECT_EQ(stream.send_state(), SendState::data_sent);
  stream.acknowledged(0);
  EXPECT_EQ(stream.send_state(), SendState::data_recvd);
  stream.acknowledged(0);
  EXPECT_EQ(subject.events(), Log{"send done"}) << "once";
}

TEST(Stream, an_acknowledgement_is_reported_before_fin_where_that_is_wanted) {
  Subject subject(SendState::send);
  Stream& stream = subject.stream;
  stream.acknowledged(2);
  stream.notify_acknowledged();
  stream.acknowledged(1);
  EXPECT_EQ(stream.send_state(), SendState::send);
  EXPECT_EQ(subject.events(), Log{"send done"});
  stream.notify_acknowledged();
  stream.acknowledged(0);
  EXPECT_EQ(subject.events(), Log{}) << "everything was acknowledged already";
}

TEST(Stream, can_be_reset_until_everything_is_acknowledged) {
  for (const SendState state : kSendStates) {
    Subject subject(state);
    const bool goes = state == SendState::ready || state == SendState::send || state == SendState::data_sent;
    subject.stream.reset(ErrorCode::tcp_reset);
    EXPECT_EQ(subject.stream.send_state(), goes ? SendState::reset_sent : state);
    EXPECT_EQ(subject.asked(), goes ? Log{"RESET_STREAM 17"} : Log{});
    EXPECT_EQ(subject.stream.send_stopped(), state != SendState::data_recvd);
    EXPECT_EQ(subject.events(), Log{}) << "its owner knows";
  }
}

TEST(Stream, stop_sending_ends_what_has_not_ended) {
  for (const SendState state : kSendStates) {
    Subject subject(state);
    const bool goes = state == SendState::ready || state == SendState::send || state == SendState::data_sent;
    subject.stream.stopped_by_peer();
    EXPECT_EQ(subject.stream.send_state(), goes ? SendState::reset_sent : state);
    EXPECT_EQ(subject.events(), goes ? (Log{"writable", "send done"}) : Log{});
    EXPECT_EQ(subject.asked(), Log{}) << "ngtcp2 has sent RESET_STREAM";
    EXPECT_EQ(subject.stream.unacknowledged_bytes() == 0,
              goes || state == SendState::data_recvd || state == SendState::reset_recvd);
  }
}

TEST(Stream, is_closed_from_any_state) {
  for (const SendState state : kSendStates) {
    if (state == SendState::reset_recvd) continue;
    Subject subject(state);
    subject.stream.closed();
    const bool delivered = state == SendState::data_sent || state == SendState::data_recvd;
    EXPECT_EQ(subject.stream.send_state(), delivered ? SendState::data_recvd : SendState::reset_recvd);
    EXPECT_TRUE(subject.stream.is_closed());
    EXPECT_EQ(subject.stream.unacknowledged_bytes(), 0U);
    EXPECT_TRUE(subject.stream.is_in_event_queue()) << "for the connection to look whether it is disposable";
    EXPECT_EQ(subject.events(), state == SendState::data_recvd ? Log{} : Log{"send done"});
  }
}

TEST(Stream, takes_nothing_to_send_after_a_reset) {
  for (const SendState state : {SendState::reset_sent, SendState::reset_recvd}) {
    Subject subject(state);
    Stream& stream = subject.stream;
    const std::size_t kept = stream.unacknowledged_bytes();
    std::array<MutableBytes, 2> room;
    EXPECT_EQ(stream.send_room(10, room), 0U);
    subject.send("more");
    stream.finish();
    stream.acknowledged(1000);  // what was in flight before
    EXPECT_EQ(stream.unacknowledged_bytes(), kept);
    EXPECT_FALSE(stream.fin_queued());
    EXPECT_EQ(subject.asked(), Log{});
    stream.drop_unacknowledged();
    EXPECT_EQ(stream.unacknowledged_bytes(), 0U);
    EXPECT_EQ(stream.send_state(), state);
  }
}

TEST(Stream, bytes_wait_for_credit_and_fin_does_not) {
  Subject subject;
  Stream& stream = subject.stream;
  stream.credit_received();
  EXPECT_EQ(subject.asked(), Log{}) << "it waits for none";
  subject.send("abc");
  stream.block();
  EXPECT_TRUE(stream.is_blocked());
  subject.asked();
  stream.credit_received();
  EXPECT_FALSE(stream.is_blocked());
  EXPECT_EQ(subject.asked(), Log{"send"});
  stream.sent(3, false);
  stream.block();
  EXPECT_FALSE(stream.is_blocked());
}

TEST(Stream, an_owner_that_found_no_room_is_notified_when_half_of_it_is_free) {
  Subject subject;
  Stream& stream = subject.stream;
  std::array<MutableBytes, 2> room;
  subject.send(std::string(100, 'x'));
  stream.sent(60, false);
  stream.notify_room();
  EXPECT_EQ(subject.events(), Log{}) << "it has not asked";
  subject.send(std::string(60, 'y'));
  EXPECT_EQ(stream.send_room(10, room), 0U);
  stream.sent(49, false);
  stream.notify_room();
  EXPECT_EQ(subject.events(), Log{});
  stream.sent(1, false);
  stream.notify_room();
  stream.notify_room();
  EXPECT_EQ(subject.events(), Log{"writable"});
  EXPECT_EQ(stream.send_room(90, room), 1U);
  EXPECT_EQ(room[0].size(), 50U);
  stream.commit(0);
}

// --- receiving: figure 3 ---

TEST(Stream, receives_up_to_fin_and_is_read_to_the_end) {
  Subject subject;
  Stream& stream = subject.stream;
  subject.receive("abc");
  EXPECT_EQ(stream.recv_state(), RecvState::recv);
  EXPECT_EQ(subject.events(), Log{"readable"});
  subject.receive("de", true);
  EXPECT_EQ(stream.recv_state(), RecvState::data_recvd);
  EXPECT_EQ(subject.events(), Log{"readable"});
  EXPECT_TRUE(stream.fin_received());
  EXPECT_FALSE(stream.at_end());
  stream.consume(4);
  EXPECT_EQ(subject.asked(), Log{"credit 4"});
  EXPECT_EQ(stream.recv_state(), RecvState::data_recvd);
  stream.drop(1);
  EXPECT_EQ(subject.asked(), Log{});
  EXPECT_EQ(stream.recv_state(), RecvState::data_read);
  EXPECT_TRUE(stream.fin_received() && stream.at_end());
}

TEST(Stream, fin_alone_is_the_end_at_once) {
  Subject subject;
  subject.receive("", true);
  EXPECT_EQ(subject.stream.recv_state(), RecvState::data_read);
  EXPECT_EQ(subject.events(), Log{"readable"});
}

TEST(Stream, a_reset_leaves_what_has_arrived) {
  Subject subject(RecvState::reset_recvd);
  EXPECT_EQ(subject.stream.reset_received(), 7U);
  EXPECT_EQ(subject.readable(), "abc");
  EXPECT_FALSE(subject.stream.fin_received());
  EXPECT_EQ(subject.events(), Log{"readable"});
  EXPECT_EQ(subject.stream.recv_state(), RecvState::reset_read);
  EXPECT_EQ(subject.readable(), "abc");
}

TEST(Stream, a_reset_after_fin_is_reported_and_changes_nothing_else) {
  for (const RecvState state : {RecvState::data_recvd, RecvState::data_read}) {
    Subject subject(state);
    subject.events();
    subject.stream.reset_by_peer(7);
    EXPECT_EQ(subject.events(), Log{"readable"});
    EXPECT_EQ(subject.stream.reset_received(), 7U);
    EXPECT_EQ(subject.stream.recv_state(), state);
  }
}

TEST(Stream, nothing_arrives_after_the_end) {
  for (const RecvState state : kRecvStates) {
    if (state == RecvState::recv) continue;
    Subject subject(state);
    subject.events();
    const RecvState settled = subject.stream.recv_state();
    const std::size_t before = subject.stream.readable_bytes();
    subject.receive("late", true);
    EXPECT_EQ(subject.stream.recv_state(), settled);
    EXPECT_EQ(subject.stream.readable_bytes(), before);
    EXPECT_EQ(subject.events(), Log{});
  }
}

TEST(Stream, stop_sending_goes_out_only_while_more_may_come) {
  for (const RecvState state : kRecvStates) {
    Subject subject(state);
    subject.stream.stop_reading(ErrorCode::tcp_reset);
    subject.stream.stop_reading(ErrorCode::tcp_reset);
    EXPECT_EQ(subject.asked(), state == RecvState::recv ? Log{"STOP_SENDING 17"} : Log{});
    EXPECT_EQ(subject.stream.recv_state(), state == RecvState::data_recvd ? RecvState::data_read : state);
    EXPECT_EQ(subject.stream.readable_bytes(), 0U);
  }
}

TEST(Stream, fin_after_stop_sending_is_the_end_and_is_not_reported) {
  Subject subject;
  subject.stream.stop_reading(ErrorCode::tcp_reset);
  subject.receive("abc", true);
  EXPECT_EQ(subject.stream.readable_bytes(), 0U);
  EXPECT_EQ(subject.stream.recv_state(), RecvState::data_read);
  EXPECT_EQ(subject.events(), Log{});
}

TEST(Stream, closing_ends_a_direction_whose_end_was_not_reported) {
  for (const bool stopped : {false, true}) {
    Subject subject;
    if (stopped) subject.stream.stop_reading(ErrorCode::tcp_reset);
    subject.stream.closed();
    EXPECT_EQ(subject.stream.recv_state(), stopped ? RecvState::data_read : RecvState::reset_recvd);
  }
}

TEST(Stream, closing_leaves_a_direction_that_has_ended) {
  for (const RecvState state : kRecvStates) {
    if (state == RecvState::recv) continue;
    Subject subject(state);
    subject.stream.closed();
    EXPECT_EQ(subject.stream.recv_state(), state);
  }
}

TEST(Stream, drops_what_comes_after_stop_sending_and_still_reports_a_reset) {
  Subject subject;
  subject.stream.stop_reading(ErrorCode::tcp_reset);
  subject.receive("abc");
  EXPECT_EQ(subject.stream.readable_bytes(), 0U);
  EXPECT_EQ(subject.stream.recv_state(), RecvState::recv);
  EXPECT_EQ(subject.events(), Log{});
  subject.stream.reset_by_peer(7);
  EXPECT_EQ(subject.events(), Log{"readable"});
  EXPECT_EQ(subject.stream.recv_state(), RecvState::reset_read);
}

TEST(Stream, an_owner_that_comes_later_is_notified_of_what_arrived_before) {
  for (const RecvState state : kRecvStates) {
    Subject subject(state);
    subject.events();
    subject.let_go();
    EXPECT_EQ(subject.events(), Log{});
    subject.adopt();
    EXPECT_EQ(subject.events(), Log{"readable"});
  }
  Subject subject;
  subject.adopt();
  EXPECT_EQ(subject.events(), Log{});
}

TEST(Stream, without_an_owner_a_reset_is_read_by_none) {
  Subject subject;
  subject.let_go();
  subject.stream.reset_by_peer(7);
  EXPECT_EQ(subject.events(), Log{});
  EXPECT_EQ(subject.stream.recv_state(), RecvState::reset_recvd);
}

// --- its life ---

TEST(Stream, release_resets_what_has_not_ended) {
  Subject subject;
  subject.send("abc");
  subject.asked();
  subject.stream.release();
  EXPECT_EQ(subject.asked(), (Log{"RESET_STREAM 20", "STOP_SENDING 20", "released"}));
}

TEST(Stream, release_leaves_a_stream_with_fin_to_be_delivered) {
  Subject subject(SendState::data_sent);
  subject.stream.release();
  EXPECT_EQ(subject.asked(), (Log{"STOP_SENDING 20", "released"}));
  EXPECT_EQ(subject.stream.send_state(), SendState::data_sent);
  EXPECT_EQ(subject.stream.unacknowledged_bytes(), 3U);
}

TEST(Stream, is_disposable_once_it_is_closed_and_released_and_in_no_use) {
  Subject subject;
  EXPECT_FALSE(subject.stream.disposable());
  subject.receive("abc");
  subject.stream.closed();
  EXPECT_FALSE(subject.stream.disposable());
  subject.release_when_readable = true;
  EXPECT_EQ(subject.events(), Log{"readable"}) << "nothing after release()";
  EXPECT_TRUE(subject.stream.disposable());
}

TEST(Stream, has_one_place_in_the_queue_of_events) {
  Subject subject;
  EXPECT_TRUE(subject.stream.enter_event_queue());
  EXPECT_FALSE(subject.stream.enter_event_queue());
  subject.stream.deliver_events();
  EXPECT_TRUE(subject.stream.enter_event_queue());
}

// --- what only a bug of ours can ask for ---

TEST(StreamDeathTest, nothing_is_committed_after_fin) {
  Subject subject(SendState::data_sent);
  std::array<MutableBytes, 1> room;
  EXPECT_DEATH((void)subject.stream.send_room(1, room), "check failed");
  EXPECT_DEATH(subject.stream.commit(1), "check failed");
  EXPECT_DEATH(subject.send("x"), "check failed");
}

TEST(StreamDeathTest, nothing_is_sent_but_in_ready_and_send) {
  for (const SendState state : kSendStates) {
    if (state == SendState::ready || state == SendState::send) continue;
    Subject subject(state);
    EXPECT_DEATH(subject.stream.sent(0, false), "check failed");
  }
}

TEST(StreamDeathTest, fin_is_sent_once_it_is_queued_and_after_the_last_byte) {
  Subject subject(SendState::ready);
  EXPECT_DEATH(subject.stream.sent(3, true), "check failed");
  subject.stream.finish();
  EXPECT_DEATH(subject.stream.sent(2, true), "check failed");
}

TEST(StreamDeathTest, nothing_is_dropped_that_may_be_sent_again) {
  for (const SendState state : kSendStates) {
    if (state == SendState::reset_sent || state == SendState::reset_recvd) continue;
    Subject subject(state);
    EXPECT_DEATH(subject.stream.drop_unacknowledged(), "check failed");
  }
}

TEST(StreamDeathTest, it_is_closed_and_released_once) {
  Subject subject;
  subject.stream.closed();
  EXPECT_DEATH(subject.stream.closed(), "check failed");
  subject.stream.release();
  EXPECT_DEATH(subject.stream.release(), "check failed");
}

}  // namespace
}  // namespace qmux::quic
