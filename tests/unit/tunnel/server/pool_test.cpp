// SPDX-License-Identifier: MIT
#include "tunnel/server/pool.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <vector>

#include "tunnel/limits.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;

constexpr Time kNow = Time(1h);

Applicant applicant(const std::string& client_id, const std::string& instance = {}, std::uint64_t epoch = 0) {
  return {.client_id = client_id, .instance = instance, .slot = 0, .epoch = epoch, .worker = 0};
}

TEST(Pool, assigns_nothing_without_members) {
  Pool pool(Balance::least_connections);
  EXPECT_FALSE(pool.choose({}, kNow).valid());
}

TEST(Pool, picks_the_member_with_fewest_tunnels) {
  Pool pool(Balance::least_connections);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  std::vector<Pool::Assignment> assignments;
  assignments.push_back(pool.choose({}, kNow));
  assignments.push_back(pool.choose({}, kNow));
  EXPECT_NE(assignments[0].member(), assignments[1].member());
  const std::array tried{b};
  assignments.push_back(pool.choose(tried, kNow));
  EXPECT_EQ(assignments[2].member(), a);
  EXPECT_EQ(pool.choose({}, kNow).member(), b);
}

TEST(Pool, members_with_equally_few_tunnels_take_turns) {
  Pool pool(Balance::least_connections);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  EXPECT_EQ(pool.choose({}, kNow).member(), a);
  EXPECT_EQ(pool.choose({}, kNow).member(), b);
  EXPECT_EQ(pool.choose({}, kNow).member(), a);
}

TEST(Pool, round_robin_takes_turns_whatever_the_tunnels) {
  Pool pool(Balance::round_robin);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  const MemberId c = pool.join(applicant("c"))->member;
  const Pool::Assignment kept = pool.choose({}, kNow);
  EXPECT_EQ(kept.member(), a);
  EXPECT_EQ(pool.choose({}, kNow).member(), b);
  EXPECT_EQ(pool.choose({}, kNow).member(), c);
  EXPECT_EQ(pool.choose({}, kNow).member(), a);
}

TEST(Pool, an_assignment_ends_with_its_token) {
  Pool pool(Balance::least_connections);
  ASSERT_TRUE(pool.join(applicant("a")));
  {
    const Pool::Assignment assignment = pool.choose({}, kNow);
    EXPECT_EQ(pool.assignments(), 1U);
  }
  EXPECT_EQ(pool.assignments(), 0U);
}

TEST(Pool, an_assignment_may_outlive_its_member) {
  Pool pool(Balance::least_connections);
  const MemberId a = pool.join(applicant("a"))->member;
  const Pool::Assignment assignment = pool.choose({}, kNow);
  pool.leave(a);
  EXPECT_EQ(pool.size(), 0U);
}

TEST(Pool, is_unused_once_members_and_assignments_are_gone) {
  Pool pool(Balance::least_connections);
  EXPECT_TRUE(pool.is_unused());
  const MemberId a = pool.join(applicant("a"))->member;
  EXPECT_FALSE(pool.is_unused());
  {
    const Pool::Assignment assignment = pool.choose({}, kNow);
    pool.leave(a);
    EXPECT_FALSE(pool.is_unused());
  }
  EXPECT_TRUE(pool.is_unused());
}

TEST(Pool, a_draining_member_is_not_replaced) {
  Pool pool(Balance::least_connections);
  Applicant client = applicant("a");
  client.instance = "i";
  client.epoch = 1;
  const MemberId first = pool.join(client)->member;
  pool.drain(first);
  ++client.epoch;
  const auto second = pool.join(client);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->replaced.has_value());
  EXPECT_EQ(pool.size(), 2U);
  ++client.epoch;
  const auto third = pool.join(client);
  ASSERT_TRUE(third && third->replaced);
  EXPECT_EQ(third->replaced->member, second->member);
}

TEST(Pool, a_member_without_stream_credit_is_the_second_choice) {
  Pool pool(Balance::least_connections);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  pool.set_stream_credit(a, false);
  const Pool::Assignment first = pool.choose({}, kNow);
  const Pool::Assignment second = pool.choose({}, kNow);
  EXPECT_EQ(first.member(), b);
  EXPECT_EQ(second.member(), b);
  const std::array tried{b};
  EXPECT_EQ(pool.choose(tried, kNow).member(), a);
}

TEST(Pool, a_suspect_is_the_last_choice_and_a_draining_member_none) {
  Pool pool(Balance::least_connections);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  pool.suspect(a);
  pool.set_stream_credit(b, false);
  EXPECT_EQ(pool.choose({}, kNow).member(), b);
  pool.drain(b);
  EXPECT_EQ(pool.choose({}, kNow).member(), a);
  pool.drain(a);
  EXPECT_FALSE(pool.choose({}, kNow).valid());
}

TEST(Pool, a_suspect_that_is_heard_from_is_as_good_as_before) {
  Pool pool(Balance::round_robin);
  const MemberId a = pool.join(applicant("a"))->member;
  const MemberId b = pool.join(applicant("b"))->member;
  pool.suspect(a);
  EXPECT_EQ(pool.choose({}, kNow).member(), b);
  EXPECT_TRUE(pool.heard_from(a));
  EXPECT_EQ(pool.choose({}, kNow).member(), a);
}

TEST(Pool, being_heard_from_does_not_end_draining) {
  Pool pool(Balance::round_robin);
  const MemberId a = pool.join(applicant("a"))->member;
  pool.drain(a);
  pool.suspect(a);
  EXPECT_TRUE(pool.heard_from(a));
  EXPECT_FALSE(pool.choose({}, kNow).valid());
}

TEST(Pool, a_client_with_the_name_of_others_takes_no_visitors_from_them) {
  for (const Balance balance : {Balance::least_connections, Balance::round_robin}) {
    Pool pool(balance);
    std::map<MemberId, int> visitors;
    for (const char* instance : {"i1", "i2", "i3"}) visitors[pool.join(applicant("a", instance, 1))->member] = 0;
    std::vector<Pool::Assignment> assignments;
    for (int i = 0; i < 60; ++i) ++visitors[assignments.emplace_back(pool.choose({}, kNow)).member()];
    for (const auto& [member, count] : visitors) EXPECT_EQ(count, 20);
  }
}

TEST(Pool, tells_on_which_workers_there_are_others_of_the_name) {
  Pool pool(Balance::least_connections);
  const auto joins = [&](const char* client_id, const char* instance, std::size_t worker, std::uint64_t epoch = 1,
                         std::uint32_t slot = 0) {
    Applicant newcomer = applicant(client_id, instance, epoch);
    newcomer.worker = worker;
    newcomer.slot = slot;
    return pool.join(newcomer)->namesake_workers;
  };
  using Workers = std::vector<std::size_t>;
  EXPECT_EQ(joins("a", "i1", 2), Workers{});
  EXPECT_EQ(joins("b", "i1", 3), Workers{}) << "another name";
  EXPECT_EQ(joins("a", "i1", 1, 1, 1), Workers{}) << "another connection of the same process";
  EXPECT_EQ(joins("a", "i1", 2, 2), Workers{}) << "its own connection once more";
  EXPECT_EQ(joins("a", "i2", 2), (Workers{1, 2}));
  EXPECT_EQ(joins("a", "", 0), (Workers{1, 2}));
  EXPECT_EQ(joins("a", "", 0), (Workers{0, 1, 2})) << "a program without instances may be the same one or another";
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
  EXPECT_FALSE(pool.choose({}, kNow, Pool::Need::udp).valid());
  Applicant carries_both = applicant("both");
  carries_both.udp = true;
  const MemberId both = pool.join(carries_both)->member;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pool.choose({}, kNow, Pool::Need::udp).member(), both);
}

TEST(Pool, visitors_by_udp_do_not_take_the_turns_of_those_by_tcp) {
  Pool pool(Balance::least_connections);
  std::map<MemberId, int> visitors;
  for (const char* client_id : {"a", "b"}) {
    Applicant both = applicant(client_id);
    both.udp = true;
    visitors[pool.join(both)->member] = 0;
  }
  for (int i = 0; i < 10; ++i) {
    ++visitors[pool.choose({}, kNow, Pool::Need::tcp).member()];
    (void)pool.choose({}, kNow, Pool::Need::udp);
  }
  for (const auto& [member, count] : visitors) EXPECT_EQ(count, 5);
}

// --- dials that fail -----------------------------------------------------------------------------------------------------

/// Two clients; the service of `dead` is down.
class PoolWithDeadServiceTest : public ::testing::TestWithParam<Balance> {
 protected:
  /// A visitor comes and leaves. Returns whether it was served.
  bool visit() {
    const Pool::Assignment assignment = pool_.choose({}, now_);
    if (assignment.member() == dead_) {
      pool_.dial_failed(dead_, now_);
    } else {
      pool_.dial_succeeded(assignment.member());
    }
    return assignment.member() != dead_;
  }
  int served(int visitors, Duration interval) {
    int count = 0;
    for (int i = 0; i < visitors; ++i, now_ += interval) count += visit() ? 1 : 0;
    return count;
  }

  Pool pool_{GetParam()};
  Time now_ = kNow;
  const MemberId healthy_ = pool_.join(applicant("healthy", "i1", 1))->member;
  const MemberId dead_ = pool_.join(applicant("dead", "i2", 1))->member;
};

INSTANTIATE_TEST_SUITE_P(Balances, PoolWithDeadServiceTest,
                         ::testing::Values(Balance::least_connections, Balance::round_robin));

TEST_P(PoolWithDeadServiceTest, costs_few_visitors) {
  EXPECT_GE(served(50, 0s), 49);
  EXPECT_GE(served(50, 100ms), 48);
}

TEST_P(PoolWithDeadServiceTest, costs_ever_fewer_visitors_the_longer_it_lasts) {
  constexpr auto kAtOnce = 10;  // periods of 2, 4, 8, ... 60 s: some six until the longest
  constexpr int kVisitors = 3600;
  EXPECT_GE(served(kVisitors, 1s), kVisitors - kAtOnce - kVisitors / (limits::kDialPenaltyTimeMax / 1s));
}

TEST_P(PoolWithDeadServiceTest, is_chosen_when_it_alone_is_there) {
  EXPECT_EQ(served(3, 100ms), 2);
  pool_.leave(healthy_);
  EXPECT_EQ(pool_.choose({}, now_).member(), dead_);
}

TEST_P(PoolWithDeadServiceTest, is_chosen_after_every_other_trouble_but_silence) {
  pool_.dial_failed(dead_, now_);
  pool_.set_stream_credit(healthy_, false);
  EXPECT_EQ(pool_.choose({}, now_).member(), healthy_);
  pool_.suspect(healthy_);
  EXPECT_EQ(pool_.choose({}, now_).member(), dead_);
}

TEST_P(PoolWithDeadServiceTest, is_tried_by_one_visitor_after_a_while) {
  pool_.dial_failed(dead_, now_);
  now_ += limits::kDialPenaltyTimeMin;
  std::vector<Pool::Assignment> assignments;
  std::map<MemberId, int> visitors;
  for (int i = 0; i < 20; ++i) ++visitors[assignments.emplace_back(pool_.choose({}, now_)).member()];
  EXPECT_EQ(visitors[dead_], 1);
  now_ += limits::kDialProbeTimeMax - 1ns;
  EXPECT_EQ(pool_.choose({}, now_).member(), healthy_);
}

TEST_P(PoolWithDeadServiceTest, is_tried_again_when_nothing_is_heard_of_that_visitor) {
  pool_.dial_failed(dead_, now_);
  now_ += limits::kDialPenaltyTimeMin;
  std::vector<Pool::Assignment> assignments;
  while (assignments.empty() || assignments.back().member() != dead_) assignments.push_back(pool_.choose({}, now_));
  now_ += limits::kDialProbeTimeMax;
  std::vector<Pool::Assignment> later;
  std::map<MemberId, int> visitors;
  for (int i = 0; i < 20; ++i) ++visitors[later.emplace_back(pool_.choose({}, now_)).member()];
  EXPECT_EQ(visitors[dead_], 1);
}

TEST_P(PoolWithDeadServiceTest, is_tried_by_the_next_visitor_when_the_first_leaves_too_early) {
  pool_.dial_failed(dead_, now_);
  now_ += limits::kDialPenaltyTimeMin;
  for (int trial = 0; trial < 3; ++trial) {
    int visitors = 0;
    while (pool_.choose({}, now_).member() != dead_) ASSERT_LT(++visitors, 3);
  }
}

TEST_P(PoolWithDeadServiceTest, takes_its_share_again_after_a_success) {
  EXPECT_TRUE(pool_.dial_failed(dead_, now_));
  EXPECT_TRUE(pool_.dial_succeeded(dead_));
  EXPECT_FALSE(pool_.dial_succeeded(dead_));
  std::map<MemberId, int> visitors;
  std::vector<Pool::Assignment> assignments;
  for (int i = 0; i < 20; ++i) ++visitors[assignments.emplace_back(pool_.choose({}, now_)).member()];
  EXPECT_EQ(visitors[dead_], 10);
  EXPECT_EQ(pool_.dial_failed(dead_, now_), limits::kDialPenaltyTimeMin) << "the next period is a first one";
}

TEST_P(PoolWithDeadServiceTest, dials_that_fail_together_count_once) {
  EXPECT_EQ(pool_.dial_failed(dead_, now_), limits::kDialPenaltyTimeMin);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(pool_.dial_failed(dead_, now_ + 1s));
  EXPECT_EQ(pool_.dial_failed(dead_, now_ + limits::kDialPenaltyTimeMin), 2 * limits::kDialPenaltyTimeMin);
}

TEST_P(PoolWithDeadServiceTest, the_time_grows_to_a_limit) {
  Duration before{};
  for (int i = 0; i < 40; ++i) {
    const auto length = pool_.dial_failed(dead_, now_);
    ASSERT_TRUE(length);
    EXPECT_GE(*length, before);
    before = *length;
    now_ += *length;
  }
  EXPECT_EQ(before, limits::kDialPenaltyTimeMax);
}

TEST_P(PoolWithDeadServiceTest, serves_udp_all_the_same) {
  std::map<MemberId, int> visitors;
  for (const char* client_id : {"up", "down"}) {
    Applicant both = applicant(client_id);
    both.udp = true;
    visitors[pool_.join(both)->member] = 0;
  }
  const MemberId down = visitors.rbegin()->first;
  pool_.dial_failed(down, now_);
  std::vector<Pool::Assignment> assignments;
  for (int i = 0; i < 10; ++i) ++visitors[assignments.emplace_back(pool_.choose({}, now_, Pool::Need::udp)).member()];
  EXPECT_EQ(visitors[down], 5);
}

TEST_P(PoolWithDeadServiceTest, all_connections_of_its_process_count_as_one) {
  Applicant sibling = applicant("dead", "i2", 1);
  sibling.slot = 1;
  const MemberId second = pool_.join(sibling)->member;
  EXPECT_TRUE(pool_.dial_failed(dead_, now_));
  EXPECT_FALSE(pool_.dial_failed(second, now_));
  sibling.slot = 2;
  const MemberId third = pool_.join(sibling)->member;
  for (int i = 0; i < 6; ++i) EXPECT_EQ(pool_.choose({}, now_).member(), healthy_);
  EXPECT_TRUE(pool_.dial_succeeded(third));
  std::map<MemberId, int> visitors;
  std::vector<Pool::Assignment> assignments;
  for (int i = 0; i < 20; ++i) ++visitors[assignments.emplace_back(pool_.choose({}, now_)).member()];
  EXPECT_EQ(visitors.size(), 4U);
}

TEST_P(PoolWithDeadServiceTest, a_new_connection_of_its_process_forgets_nothing) {
  pool_.dial_failed(dead_, now_);
  const auto admission = pool_.join(applicant("dead", "i2", 2));
  ASSERT_TRUE(admission && admission->replaced);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(pool_.choose({}, now_).member(), healthy_);
}

}  // namespace
}  // namespace qmux::tunnel
