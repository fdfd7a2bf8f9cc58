// SPDX-License-Identifier: MIT
#include "app/demo/http_visitor.h"

#include <gtest/gtest.h>

#include "app/demo/http_service.h"
#include "app/demo/sha256.h"

namespace qmux::app {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;
constexpr Seconds kHour = std::chrono::hours(1);

class HttpVisitorTest : public ::testing::Test {
 protected:
  HttpService service_;
  const Address address_ = Address::from_literal("127.0.0.1", service_.port()).value();
};

TEST_F(HttpVisitorTest, stops_the_clock_while_it_gives_away_what_has_come) {
  Seconds now{};
  std::uint64_t bytes = 0;
  const auto arrived = [&](std::span<const std::byte> part) {
    bytes += part.size();
    now += kHour;
  };
  const auto taken = fetch(address_, 80 * kMebibyte, [&] { return now; }, arrived);
  ASSERT_TRUE(taken.has_value()) << taken.error().text();
  EXPECT_EQ(bytes, 80 * kMebibyte);
  EXPECT_EQ(now, 3 * kHour) << "in parts of bounded size";
  EXPECT_EQ(*taken, Seconds{});
}

TEST_F(HttpVisitorTest, takes_the_time_of_every_request) {
  Seconds now{};
  const auto ticking = [&] { return now += Seconds(1); };
  EXPECT_EQ(fetch(address_, 80 * kMebibyte, ticking, [](auto) {}).value(), Seconds(3));
  EXPECT_EQ(median_round_trip(address_, 5, ticking).value(), Seconds(1));
}

TEST_F(HttpVisitorTest, gets_what_it_should) {
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{65537}, 32 * kMebibyte + 3}) {
    Sha256 hash;
    ASSERT_TRUE(fetch(address_, bytes, [] { return Seconds{}; }, [&](auto part) { hash.add(part); }).has_value());
    EXPECT_EQ(hash.hex(), expected_sha256(bytes)) << bytes;
  }
}

TEST(Sha256, is_that_of_fips_180) {
  constexpr std::byte kAbc[] = {std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
  Sha256 hash;
  for (int i = 0; i < 2; ++i) {
    hash.add(std::span(kAbc).first(1));
    hash.add(std::span(kAbc).subspan(1));
    EXPECT_EQ(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }
}

}  // namespace
}  // namespace qmux::app
