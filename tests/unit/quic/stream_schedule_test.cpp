// SPDX-License-Identifier: MIT
#include "quic/stream_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "base/chunk.h"
#include "quic/limits.h"
#include "quic/stream.h"

namespace qmux::quic {
namespace {

class StreamScheduleTest : public ::testing::Test, private StreamHost {
 protected:
  Stream& stream() {
    return streams_.emplace_back(static_cast<StreamHost&>(*this), chunks_,
                                 static_cast<std::int64_t>(4 * streams_.size()));
  }

  /// Lets what is next send `bytes` in packets; how much each stream sent.
  std::map<const Stream*, std::size_t> send(std::size_t bytes) {
    std::map<const Stream*, std::size_t> sent;
    for (std::size_t done = 0; done < bytes; done += kPacketBytes) {
      Stream* const next = schedule_.next();
      if (next == nullptr) break;
      schedule_.sent(*next, kPacketBytes);
      sent[next] += kPacketBytes;
    }
    return sent;
  }
  /// It sends so much and then has nothing more.
  void send_all_of(Stream& stream, std::size_t bytes) {
    schedule_.sent(stream, bytes);
    schedule_.remove(stream);
  }

  static constexpr std::size_t kPacketBytes = 1024;
  static constexpr std::size_t kTurnBytes = limits::kStreamTurnBytesMax;

  StreamSchedule schedule_;

 private:
  void stream_has_data(Stream&) override {}
  void stream_consumed(Stream&, std::size_t) override {}
  void stream_reset(Stream&, ErrorCode) override {}
  void stream_stop_reading(Stream&, ErrorCode) override {}
  void stream_has_events(Stream&) override {}
  void stream_released(Stream&) override {}
  [[nodiscard]] std::size_t unsent_bytes_max(const Stream&) const override { return 0; }

  ChunkPool chunks_;
  std::deque<Stream> streams_;
};

TEST_F(StreamScheduleTest, is_empty_until_a_stream_has_something_to_send) {
  EXPECT_EQ(schedule_.next(), nullptr);
  Stream& only = stream();
  schedule_.add(only);
  schedule_.add(only);
  EXPECT_EQ(schedule_.size(), 1U);
  EXPECT_EQ(schedule_.next(), &only);
  schedule_.remove(only);
  schedule_.remove(only);
  EXPECT_TRUE(schedule_.empty());
  EXPECT_EQ(schedule_.next(), nullptr);
}

TEST_F(StreamScheduleTest, gives_streams_that_never_pause_equal_shares) {
  for (int i = 0; i < 7; ++i) schedule_.add(stream());
  const auto sent = send(700 * kTurnBytes);
  ASSERT_EQ(sent.size(), 7U);
  for (const auto& [stream, bytes] : sent) EXPECT_NEAR(static_cast<double>(bytes), 100.0 * kTurnBytes, kTurnBytes);
}

TEST_F(StreamScheduleTest, an_urgent_stream_goes_before_all_others) {
  for (int i = 0; i < 100; ++i) schedule_.add(stream());
  send(1000 * kTurnBytes);
  Stream& control = stream();
  control.set_urgent();
  schedule_.add(control);
  EXPECT_EQ(schedule_.next(), &control);
  schedule_.sent(control, 100 * kTurnBytes);
  EXPECT_EQ(schedule_.next(), &control);
}

TEST_F(StreamScheduleTest, a_new_stream_goes_before_those_that_had_their_turn) {
  for (int i = 0; i < 100; ++i) schedule_.add(stream());
  send(1000 * kTurnBytes);
  Stream& fresh = stream();
  schedule_.add(fresh);
  EXPECT_EQ(schedule_.next(), &fresh);
}

TEST_F(StreamScheduleTest, a_stream_that_pauses_in_its_turn_goes_first_again_with_the_rest_of_it) {
  for (int i = 0; i < 100; ++i) schedule_.add(stream());
  send(1000 * kTurnBytes);
  Stream& small = stream();
  schedule_.add(small);
  send_all_of(small, 300);
  schedule_.add(small);
  EXPECT_EQ(schedule_.next(), &small);
  schedule_.sent(small, kTurnBytes - 300);
  EXPECT_NE(schedule_.next(), &small);
}

TEST_F(StreamScheduleTest, pausing_gains_nothing) {
  std::deque<Stream*> steady;
  for (int i = 0; i < 3; ++i) schedule_.add(*steady.emplace_back(&stream()));
  Stream& pausing = stream();
  std::map<const Stream*, std::size_t> sum;
  for (int i = 0; i < 10'000; ++i) {
    schedule_.add(pausing);
    for (const auto& [stream, bytes] : send(kPacketBytes)) sum[stream] += bytes;
    schedule_.remove(pausing);
  }
  EXPECT_LE(sum[&pausing], sum[steady[0]] + 2 * kTurnBytes);
}

TEST_F(StreamScheduleTest, new_streams_without_end_leave_a_quarter_to_those_that_wait) {
  std::deque<Stream*> bulk;
  for (int i = 0; i < 2; ++i) schedule_.add(*bulk.emplace_back(&stream()));
  send(100 * kTurnBytes);
  std::size_t by_new = 0;
  std::size_t by_bulk = 0;
  for (int i = 0; i < 4000; ++i) {
    Stream& brief = stream();
    schedule_.add(brief);
    // It has two packets to send.
    for (int left = 2; left > 0;) {
      Stream* const next = schedule_.next();
      schedule_.sent(*next, kPacketBytes);
      const bool is_bulk = std::ranges::find(bulk, next) != bulk.end();
      (is_bulk ? by_bulk : by_new) += kPacketBytes;
      if (!is_bulk) --left;
    }
    schedule_.remove(brief);
  }
  EXPECT_NEAR(static_cast<double>(by_bulk), static_cast<double>(by_new) / 3, 0.05 * static_cast<double>(by_new));
}

TEST_F(StreamScheduleTest, a_shorter_turn_counts_from_the_next_one_on) {
  Stream& one = stream();
  Stream& other = stream();
  schedule_.add(one);
  schedule_.add(other);
  send(10 * kTurnBytes);
  schedule_.set_turn_bytes(2 * kPacketBytes);
  send(2 * kTurnBytes);
  Stream* const first = schedule_.next();
  send(2 * kPacketBytes);
  EXPECT_NE(schedule_.next(), first);
}

}  // namespace
}  // namespace qmux::quic
