// SPDX-License-Identifier: MIT
#include "tunnel/client/address_race.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

const Address kFour = *Address::parse("192.0.2.1:1");
const Address kOtherFour = *Address::parse("192.0.2.2:1");
const Address kSix = *Address::parse("[2001:db8::1]:1");
const Address kOtherSix = *Address::parse("[2001:db8::2]:1");
constexpr Time kStart{1h};

AddressRace race_of(const std::vector<Address>& resolved) {
  AddressRace race;
  race.begin(resolved);
  return race;
}

TEST(AddressRace, families_take_turns_and_the_resolver_says_which_is_first) {
  EXPECT_THAT(interleave_families({kSix, kOtherSix, kFour, kOtherFour}),
              ElementsAre(kSix, kFour, kOtherSix, kOtherFour));
  EXPECT_THAT(interleave_families({kFour, kSix, kOtherSix}), ElementsAre(kFour, kSix, kOtherSix));
  EXPECT_THAT(interleave_families({kFour, kOtherFour, kFour}), ElementsAre(kFour, kOtherFour));
  EXPECT_TRUE(interleave_families({}).empty());
}

TEST(AddressRace, the_next_address_is_due_a_quarter_of_a_second_after_the_one_before) {
  AddressRace race = race_of({kSix, kFour});
  EXPECT_EQ(race.next(kStart), kSix);
  EXPECT_EQ(race.next_start(), kStart + 250ms);
  EXPECT_EQ(race.next(kStart + 249ms), std::nullopt);
  EXPECT_EQ(race.next(kStart + 250ms), kFour);
  EXPECT_EQ(race.next_start(), kNever);
}

TEST(AddressRace, a_failure_makes_the_next_address_due_at_once) {
  AddressRace race = race_of({kSix, kFour});
  EXPECT_EQ(race.next(kStart), kSix);
  race.failed(kSix);
  EXPECT_EQ(race.next(kStart), kFour);
  EXPECT_FALSE(race.is_over());
  race.failed(kFour);
  EXPECT_TRUE(race.is_over());
}

TEST(AddressRace, nothing_starts_after_the_first_handshake_until_that_address_has_failed_after_all) {
  AddressRace race = race_of({kSix, kFour, kOtherFour});
  EXPECT_EQ(race.next(kStart), kSix);
  EXPECT_EQ(race.next(kStart + 250ms), kFour);
  race.handshake_completed(kFour);
  EXPECT_EQ(race.next_start(), kNever);
  EXPECT_EQ(race.next(kStart + 10s), std::nullopt);
  race.failed(kFour);
  EXPECT_EQ(race.next(kStart + 10s), kSix);
  EXPECT_EQ(race.next(kStart + 10s + 250ms), kOtherFour);
}

TEST(AddressRace, attempts_at_one_time_and_addresses_are_bounded) {
  std::vector<Address> many;
  for (int i = 1; i <= 100; ++i) many.push_back(*Address::from_literal("192.0.2." + std::to_string(i), 1));
  AddressRace race = race_of(many);
  EXPECT_EQ(race.remaining(), limits::kAddressesPerNameMax);
  Time now = kStart;
  for (std::size_t i = 0; i < limits::kAttemptsAtOnceMax; ++i, now += 250ms) EXPECT_EQ(race.next(now), many[i]);
  EXPECT_EQ(race.next_start(), kNever);
  EXPECT_EQ(race.next(now), std::nullopt);
  race.failed(many[3]);
  EXPECT_EQ(race.next(now), many[limits::kAttemptsAtOnceMax]);
}

}  // namespace
}  // namespace qmux::tunnel
