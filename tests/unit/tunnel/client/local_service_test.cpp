// SPDX-License-Identifier: MIT
#include "tunnel/client/local_service.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>

#include "tunnel/client/dial.h"
#include "tunnel/fakes/loop.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using std::chrono::seconds;

class LocalServiceTest : public ::testing::Test {
 protected:
  struct Attempt {
    std::unique_ptr<Dial> dial;
    std::string error;
    bool connected = false;
  };

  Attempt& dial() {
    Attempt& attempt = attempts_.emplace_back();
    attempt.dial = std::make_unique<Dial>(loop_, service_, [&attempt](Result<std::unique_ptr<io::TcpSocket>> result) {
      attempt.connected = result.has_value();
      if (!result) attempt.error = result.error().text();
      attempt.dial.reset();
    });
    return attempt;
  }
  void dial(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) dial();
  }

  testing::FakeLoop loop_;
  LocalService service_{loop_, HostPort{"service", 80}};
  std::deque<Attempt> attempts_;
};

TEST_F(LocalServiceTest, one_look_up_serves_all_who_ask) {
  loop_.names["service"] = {*Address::from_literal("10.0.0.1", 80)};
  dial(100);
  EXPECT_EQ(loop_.lookups_under_way, 1);
  loop_.answer_lookup();
  EXPECT_EQ(loop_.attempts.size(), 100U);
  dial(10);
  EXPECT_EQ(loop_.lookups_under_way, 0) << "its answer is still valid";
  EXPECT_EQ(loop_.attempts.size(), 110U);
  loop_.advance(limits::kServiceLookUpAge);
  dial();
  EXPECT_EQ(loop_.lookups_under_way, 1);
}

TEST_F(LocalServiceTest, a_failed_look_up_is_repeated_after_a_while_only) {
  dial(3);
  loop_.answer_lookup();
  loop_.advance(Duration(0));
  for (const Attempt& attempt : attempts_) EXPECT_NE(attempt.error, "");
  dial();
  EXPECT_EQ(loop_.lookups_under_way, 0);
  loop_.advance(limits::kServiceRetryInterval);
  dial();
  EXPECT_EQ(loop_.lookups_under_way, 1);
}

TEST_F(LocalServiceTest, another_address_serves_those_that_wait_for_the_old_one) {
  dial();
  EXPECT_EQ(loop_.lookups_under_way, 1);
  loop_.names["other"] = {*Address::from_literal("10.0.0.2", 81)};
  service_.set_address({"other", 81});
  loop_.answer_lookup();
  ASSERT_EQ(loop_.attempts.size(), 1U);
  EXPECT_EQ(attempts_.front().error, "");
  service_.set_address({"10.0.0.3", 82});
  ASSERT_NE(service_.known(), nullptr) << "an IP address needs no look-up";
  EXPECT_EQ((*service_.known())->front(), *Address::from_literal("10.0.0.3", 82));
}

TEST_F(LocalServiceTest, bounds_the_attempts_under_way_and_lets_others_follow) {
  loop_.names["service"] = {*Address::from_literal("10.0.0.1", 80)};
  dial(limits::kDialsInFlightMax + 3);
  loop_.answer_lookup();
  EXPECT_EQ(loop_.attempts.size(), limits::kDialsInFlightMax);
  EXPECT_EQ(service_.places_taken(), limits::kDialsInFlightMax);
  attempts_.front().dial.reset();
  attempts_[1].dial.reset();
  loop_.advance(Duration(0));
  EXPECT_EQ(loop_.attempts.size(), limits::kDialsInFlightMax + 2);
  attempts_.clear();
  EXPECT_EQ(service_.places_taken(), 0U);
}

TEST_F(LocalServiceTest, a_dial_that_gets_no_place_in_time_fails_and_says_why) {
  loop_.names["service"] = {*Address::from_literal("10.0.0.1", 80)};
  dial(limits::kDialsInFlightMax);
  loop_.answer_lookup();
  loop_.advance(seconds(1));
  Attempt& late = dial();
  loop_.advance(limits::kDialTimeout - seconds(2));
  EXPECT_EQ(late.error, "");
  // Now the others give up, and it has a second of its own, for a new look-up too.
  loop_.advance(seconds(1));
  loop_.answer_lookup();
  EXPECT_EQ(loop_.attempts.size(), limits::kDialsInFlightMax + 1);
  loop_.advance(seconds(1));
  EXPECT_NE(late.error, "");
}

TEST_F(LocalServiceTest, an_address_is_known_at_once_and_for_ever) {
  const LocalService literal(loop_, HostPort{"127.0.0.1", 80});
  ASSERT_NE(literal.known(), nullptr);
  loop_.advance(std::chrono::hours(1000));
  ASSERT_NE(literal.known(), nullptr);
  EXPECT_EQ((*literal.known())->size(), 1U);
}

}  // namespace
}  // namespace qmux::tunnel
