// SPDX-License-Identifier: MIT
#include "tunnel/client/dial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "tunnel/fakes/loop.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Dialling : public ::testing::Test {
 protected:
  void dial(const std::string& host) {
    in_constructor_ = true;
    service_ = std::make_unique<LocalService>(loop, HostPort{host, 80});
    dial_ = std::make_unique<Dial>(loop, *service_, [this](Result<std::unique_ptr<io::TcpSocket>> reported) {
      EXPECT_FALSE(in_constructor_);
      EXPECT_FALSE(result);
      result = std::move(reported);
      dial_.reset();
    });
    in_constructor_ = false;
  }
  /// The attempt to connect has ended.
  void answers(const std::string& address, std::optional<std::string> error = {}) {
    testing::FarEnd& far = loop.far_ends[address];
    far.connecting = false;
    far.connect_error = std::move(error);
    EXPECT_TRUE(far.notify_one());
  }
  void cancel() {
    dial_.reset();
    service_.reset();
  }
  [[nodiscard]] std::string error() const { return result && !*result ? result->error().text() : ""; }

  testing::FakeLoop loop;
  std::optional<Result<std::unique_ptr<io::TcpSocket>>> result;

 private:
  std::unique_ptr<LocalService> service_;
  std::unique_ptr<Dial> dial_;
  bool in_constructor_ = false;
};

TEST_F(Dialling, an_address_needs_no_look_up) {
  dial("127.0.0.1");
  EXPECT_EQ(loop.lookups_under_way, 0);
  answers("127.0.0.1:80");
  ASSERT_TRUE(result && *result);
  EXPECT_NE(result->value(), nullptr);
  EXPECT_EQ(loop.far_ends["127.0.0.1:80"].observer, nullptr);
  EXPECT_EQ(loop.timers().size(), 0U);
}

TEST_F(Dialling, a_name_is_looked_up) {
  loop.names["service"] = {*Address::from_literal("10.0.0.1", 80)};
  dial("service");
  EXPECT_THAT(loop.attempts, IsEmpty());
  loop.answer_lookup();
  answers("10.0.0.1:80");
  EXPECT_TRUE(result && *result);
  EXPECT_EQ(loop.lookups_under_way, 0);
}

TEST_F(Dialling, the_next_address_is_tried_when_one_refuses) {
  loop.names["service"] = {*Address::from_literal("::1", 80), *Address::from_literal("127.0.0.1", 80)};
  dial("service");
  loop.answer_lookup();
  answers("[::1]:80", "connection refused");
  EXPECT_TRUE(loop.far_ends["[::1]:80"].closed);
  answers("127.0.0.1:80");
  EXPECT_TRUE(result && *result);
  EXPECT_THAT(loop.attempts, ElementsAre("[::1]:80", "127.0.0.1:80"));
}

TEST_F(Dialling, the_next_address_is_tried_when_one_cannot_be) {
  loop.names["service"] = {*Address::from_literal("::1", 80), *Address::from_literal("127.0.0.1", 80)};
  loop.unreachable["[::1]:80"] = "no route";
  dial("service");
  loop.answer_lookup();
  answers("127.0.0.1:80");
  EXPECT_TRUE(result && *result);
}

TEST_F(Dialling, a_silent_address_has_only_its_share_of_the_time) {
  loop.names["service"] = {*Address::from_literal("10.0.0.1", 80), *Address::from_literal("10.0.0.2", 80)};
  dial("service");
  loop.answer_lookup();
  loop.advance(limits::kDialTimeout / 2);
  EXPECT_EQ(loop.attempts.size(), 2U);
  loop.advance(limits::kDialTimeout / 2 - std::chrono::milliseconds(1));
  EXPECT_FALSE(result);
  loop.advance(std::chrono::milliseconds(1));
  loop.advance(Duration(0));
  EXPECT_THAT(error(), HasSubstr("10.0.0.2:80"));
  EXPECT_TRUE(loop.far_ends["10.0.0.2:80"].closed);
}

TEST_F(Dialling, reports_the_last_failure) {
  dial("127.0.0.1");
  answers("127.0.0.1:80", "connection refused");
  loop.advance(Duration(0));
  EXPECT_THAT(error(), HasSubstr("127.0.0.1:80: connection refused"));
}

TEST_F(Dialling, failure_is_not_told_from_inside_the_constructor) {
  loop.unreachable["127.0.0.1:80"] = "no route";
  dial("127.0.0.1");
  EXPECT_FALSE(result);
  loop.advance(Duration(0));
  EXPECT_THAT(error(), HasSubstr("no route"));
}

TEST_F(Dialling, reports_an_unknown_name) {
  dial("nowhere");
  loop.answer_lookup();
  loop.advance(Duration(0));
  EXPECT_THAT(error(), HasSubstr("no such host"));
}

TEST_F(Dialling, reports_a_name_without_addresses) {
  loop.names["empty"] = {};
  dial("empty");
  loop.answer_lookup();
  loop.advance(Duration(0));
  EXPECT_THAT(error(), HasSubstr("empty:80"));
}

TEST_F(Dialling, a_resolver_that_is_silent_is_given_up) {
  dial("service");
  loop.advance(limits::kDialTimeout);
  EXPECT_THAT(error(), HasSubstr("service:80"));
  EXPECT_EQ(loop.lookups_under_way, 1) << "its answer will serve others";
}

TEST_F(Dialling, destruction_cancels) {
  dial("127.0.0.1");
  cancel();
  EXPECT_TRUE(loop.far_ends["127.0.0.1:80"].closed);
  EXPECT_EQ(loop.timers().size(), 0U);
  dial("service");
  cancel();
  EXPECT_EQ(loop.lookups_under_way, 0);
  EXPECT_FALSE(result);
}

}  // namespace
}  // namespace qmux::tunnel
