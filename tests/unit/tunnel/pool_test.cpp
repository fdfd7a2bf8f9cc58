// SPDX-License-Identifier: MIT
#include "tunnel/pool.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace qmux::tunnel {
namespace {

Applicant applicant(const std::string& client_id, const std::string& instance = {}, std::uint64_t epoch = 0) {
  return {.client_id = client_id, .instance = instance, .slot = 0, .epoch = epoch, .worker = 0};
}

TEST(Pool, gives_no_seat_when_nobody_is_there) {
  Pool pool(Balance::least_connections);
  EXPECT_FALSE(pool.choose({}).valid());
}

TEST(Pool, picks_the_member_with_fewest_tunnels) {
  Pool pool(Balance::least_connections);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  std::vector<Pool::Seat> seats;
  seats.push_back(pool.choose({}));
  seats.push_back(pool.choose({}));
  EXPECT_NE(seats[0].member(), seats[1].member());
  const std::array tried{b};
  seats.push_back(pool.choose(tried));
  EXPECT_EQ(seats[2].member(), a);
  EXPECT_EQ(pool.choose({}).member(), b);
}

TEST(Pool, members_with_equally_few_tunnels_take_turns) {
  Pool pool(Balance::least_connections);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  EXPECT_EQ(pool.choose({}).member(), a);
  EXPECT_EQ(pool.choose({}).member(), b);
  EXPECT_EQ(pool.choose({}).member(), a);
}

TEST(Pool, round_robin_takes_turns_whatever_the_tunnels) {
  Pool pool(Balance::round_robin);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  const MemberId c = pool.join(applicant("c"))->member;
  const Pool::Seat kept = pool.choose({});
  EXPECT_EQ(kept.member(), a);
  EXPECT_EQ(pool.choose({}).member(), b);
  EXPECT_EQ(pool.choose({}).member(), c);
  EXPECT_EQ(pool.choose({}).member(), a);
}

TEST(Pool, a_seat_is_given_back_when_it_goes) {
  Pool pool(Balance::least_connections);
  ASSERT_TRUE(pool.join(applicant("a")));
  {
    const Pool::Seat seat = pool.choose({});
    EXPECT_EQ(pool.seats(), 1U);
  }
  EXPECT_EQ(pool.seats(), 0U);
}

TEST(Pool, a_seat_may_outlive_its_member) {
  Pool pool(Balance::least_connections);
  const MemberId a = pool.join(applicant("a"))->member;
  const Pool::Seat seat = pool.choose({});
  pool.leave(a);
  EXPECT_EQ(pool.size(), 0U);
}

TEST(Pool, a_member_without_stream_credit_is_the_second_choice) {
  Pool pool(Balance::least_connections);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  pool.set_stream_credit(a, false);
  const Pool::Seat first = pool.choose({});
  const Pool::Seat second = pool.choose({});
  EXPECT_EQ(first.member(), b);
  EXPECT_EQ(second.member(), b);
  const std::array tried{b};
  EXPECT_EQ(pool.choose(tried).member(), a);
}

TEST(Pool, a_suspect_is_the_last_choice_and_a_draining_member_none) {
  Pool pool(Balance::least_connections);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  pool.suspect(a);
  pool.set_stream_credit(b, false);
  EXPECT_EQ(pool.choose({}).member(), b);
  pool.drain(b);
  EXPECT_EQ(pool.choose({}).member(), a);
  pool.drain(a);
  EXPECT_FALSE(pool.choose({}).valid());
}

TEST(Pool, a_suspect_that_is_heard_from_is_as_good_as_before) {
  Pool pool(Balance::round_robin);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  pool.suspect(a);
  EXPECT_EQ(pool.choose({}).member(), b);
  EXPECT_TRUE(pool.heard_from(a));
  EXPECT_EQ(pool.choose({}).member(), a);
}

TEST(Pool, being_heard_from_does_not_end_draining) {
  Pool pool(Balance::round_robin);
  const MemberId a = pool.join(applicant("a"))->member;
  pool.drain(a);
  pool.suspect(a);
  EXPECT_TRUE(pool.heard_from(a));
  EXPECT_FALSE(pool.choose({}).valid());
}

TEST(Pool, a_client_that_comes_again_is_chosen_before_what_it_may_have_left_behind) {
  Pool pool(Balance::least_connections);
  const MemberId before = pool.join(applicant("a", "i1", 1))->member;
  const MemberId after = pool.join(applicant("a", "i2", 1))->member;
  const Pool::Seat first = pool.choose({});
  const Pool::Seat second = pool.choose({});
  EXPECT_EQ(first.member(), after);
  EXPECT_EQ(second.member(), after);
  EXPECT_TRUE(pool.heard_from(before));
  EXPECT_EQ(pool.choose({}).member(), before);
}

TEST(Pool, a_higher_epoch_replaces_the_connection_of_the_same_instance) {
  Pool pool(Balance::least_connections);
  const MemberId old = pool.join(applicant("a", "i1", 1))->member;
  const auto admission = pool.join(applicant("a", "i1", 2));
  ASSERT_TRUE(admission && admission->replaced);
  EXPECT_EQ(admission->replaced->member, old);
  EXPECT_FALSE(pool.heard_from(old));
  EXPECT_TRUE(pool.heard_from(admission->member));
}

TEST(Pool, an_older_attempt_that_arrives_late_is_refused) {
  Pool pool(Balance::least_connections);
  ASSERT_TRUE(pool.join(applicant("a", "i1", 2)));
  EXPECT_FALSE(pool.join(applicant("a", "i1", 1)));
  EXPECT_FALSE(pool.join(applicant("a", "i1", 2)));
  EXPECT_EQ(pool.size(), 1U);
}

TEST(Pool, different_instances_and_unnamed_ones_of_one_client_are_all_members) {
  Pool pool(Balance::least_connections);
  EXPECT_FALSE(pool.join(applicant("a", "i1", 1))->replaced);
  EXPECT_FALSE(pool.join(applicant("a", "i2", 1))->replaced);
  EXPECT_FALSE(pool.join(applicant("a"))->replaced);
  EXPECT_FALSE(pool.join(applicant("a"))->replaced);
  EXPECT_EQ(pool.size(), 4U);
}

TEST(Pool, names_a_namesake_of_another_process_that_takes_visitors) {
  Pool pool(Balance::least_connections);
  ASSERT_TRUE(pool.join(applicant("a", "x", 1)));
  EXPECT_FALSE(pool.join(applicant("b", "y", 1))->has_namesake) << "another client_id";
  EXPECT_FALSE(pool.join(applicant("a", "x", 2))->has_namesake) << "the same process";
  EXPECT_TRUE(pool.join(applicant("a", "y", 1))->has_namesake);
  EXPECT_TRUE(pool.join(applicant("a"))->has_namesake) << "a program that does not name its processes";

  Pool restarted(Balance::least_connections);
  restarted.drain(restarted.join(applicant("a", "x", 1))->member);
  EXPECT_FALSE(restarted.join(applicant("a", "y", 1))->has_namesake) << "the other one is about to go";
}

TEST(Pool, sends_visitors_by_udp_to_members_that_carry_it) {
  Pool pool(Balance::least_connections);
  (void)pool.join(applicant("tcp alone"));
  EXPECT_FALSE(pool.choose({}, Pool::Need::udp).valid());
  Applicant carries_both = applicant("both");
  carries_both.udp = true;
  const MemberId both = pool.join(carries_both)->member;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pool.choose({}, Pool::Need::udp).member(), both);
}

}  // namespace
}  // namespace qmux::tunnel
