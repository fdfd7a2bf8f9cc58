// SPDX-License-Identifier: MIT
#include "net/resolver.h"

#include <gmock/gmock.h>

#include <optional>

#include "net/loop_fixture.h"

namespace qmux::net {
namespace {

class Resolver : public LoopTest {
 protected:
  std::unique_ptr<io::Resolution> ask(const HostPort& host) {
    return loop_.resolve(host, [this](Result<std::vector<Address>> addresses) { answer_ = std::move(addresses); });
  }
  std::optional<Result<std::vector<Address>>> answer_;
};

TEST_F(Resolver, answers_a_literal_from_the_loop_alone) {
  const auto resolution = ask({"2001:db8::1", 443});
  EXPECT_FALSE(answer_);
  ASSERT_TRUE(run_until([&] { return answer_.has_value(); }));
  EXPECT_EQ(answer_->value(), (std::vector{*Address::parse("[2001:db8::1]:443")}));
}

TEST_F(Resolver, looks_up_a_name) {
  const auto resolution = ask({"localhost", 80});
  ASSERT_TRUE(run_until([&] { return answer_.has_value(); }));
  ASSERT_TRUE(*answer_) << answer_->error().text();
  ASSERT_FALSE((*answer_)->empty());
  for (const Address& address : **answer_) {
    EXPECT_EQ(address.port(), 80);
    EXPECT_THAT(address.host_text(), testing::AnyOf(testing::StartsWith("127."), "::1"));
  }
}

TEST_F(Resolver, says_which_host_has_no_address) {
  const auto resolution = ask({"no such host", 80});
  ASSERT_TRUE(run_until([&] { return answer_.has_value(); }));
  ASSERT_FALSE(*answer_);
  EXPECT_THAT(answer_->error().text(), testing::StartsWith("cannot resolve \"no such host\": "));
}

TEST_F(Resolver, a_destroyed_resolution_tells_none) {
  for (const char* host : {"localhost", "127.0.0.1"}) {
    {
      const auto resolution = ask({host, 80});
    }
    bool later = false;
    Timer timer(loop_.timers(), [&] { later = true; });
    timer.set(loop_.now() + std::chrono::milliseconds(5));
    ASSERT_TRUE(run_until([&] { return later; }));
    EXPECT_FALSE(answer_);
  }
}

TEST_F(Resolver, the_observer_may_destroy_the_resolution_that_tells_it) {
  for (const char* host : {"localhost", "127.0.0.1"}) {
    std::unique_ptr<io::Resolution> resolution;
    resolution = loop_.resolve({host, 80}, [&](Result<std::vector<Address>>) { resolution.reset(); });
    ASSERT_TRUE(run_until([&] { return resolution == nullptr; }));
  }
}

TEST(LookUpNow, an_empty_host_is_every_address) {
  const auto addresses = look_up_now({"", 8080});
  ASSERT_TRUE(addresses);
  ASSERT_EQ(addresses->size(), 1U);
  EXPECT_TRUE(addresses->front().is_wildcard());
  EXPECT_EQ(addresses->front().port(), 8080);
}

}  // namespace
}  // namespace qmux::net
