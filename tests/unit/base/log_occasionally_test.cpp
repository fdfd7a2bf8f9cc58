// SPDX-License-Identifier: MIT
#include "base/log_occasionally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>

namespace qmux::log {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

/// What `act` puts into the log.
std::string logged(const std::function<void()>& act) {
  ::testing::internal::CaptureStderr();
  act();
  return ::testing::internal::GetCapturedStderr();
}

class OccasionallyTest : public ::testing::Test {
 protected:
  std::string write_at(Time now) {
    return logged([&] { occasionally_->write(now, Level::warn, "client refused", {{"reason", "full"}}); });
  }
  void write_at_each_of(std::initializer_list<Time> times) {
    for (const Time time : times) static_cast<void>(write_at(time));
  }
  std::string pass_at(Time now) {
    return logged([&] { timers_.expire(now); });
  }

  TimerQueue timers_;
  std::optional<Occasionally> occasionally_{std::in_place, timers_, seconds(10)};
  const Time start_{};
};

TEST_F(OccasionallyTest, writes_one_line_a_period) {
  EXPECT_THAT(write_at(start_), HasSubstr("client refused reason=full\n"));
  EXPECT_EQ(timers_.size(), 0U) << "nothing was left out";
  EXPECT_EQ(write_at(start_ + seconds(1)), "");
  EXPECT_EQ(write_at(start_ + seconds(9)), "");
}

TEST_F(OccasionallyTest, tells_at_the_end_of_the_period_how_many_it_left_out) {
  write_at_each_of({start_, start_ + seconds(1), start_ + seconds(9)});
  EXPECT_EQ(timers_.next(), start_ + seconds(10));
  EXPECT_THAT(pass_at(start_ + seconds(10)), HasSubstr("warning lines left out event=\"client refused\" count=2\n"));
  EXPECT_THAT(write_at(start_ + seconds(10)), HasSubstr("client refused reason=full\n"));
  EXPECT_EQ(timers_.size(), 0U);
}

TEST_F(OccasionallyTest, tells_before_the_next_line_where_that_comes_first) {
  write_at_each_of({start_, start_ + seconds(1)});
  EXPECT_THAT(write_at(start_ + seconds(10)), ::testing::AllOf(HasSubstr("count=1\n"), HasSubstr("reason=full\n")));
  EXPECT_EQ(pass_at(start_ + seconds(10)), "");
}

TEST_F(OccasionallyTest, tells_at_its_end) {
  write_at_each_of({start_, start_ + seconds(1)});
  EXPECT_THAT(logged([&] { occasionally_.reset(); }), HasSubstr("lines left out event=\"client refused\" count=1\n"));
}

TEST_F(OccasionallyTest, ends_without_a_word_when_nothing_was_left_out) {
  static_cast<void>(write_at(start_));
  EXPECT_EQ(logged([&] { occasionally_.reset(); }), "");
}

}  // namespace
}  // namespace qmux::log
