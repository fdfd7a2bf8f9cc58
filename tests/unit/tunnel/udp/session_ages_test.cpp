// SPDX-License-Identifier: MIT
#include "tunnel/udp/session_ages.h"

#include <gtest/gtest.h>

namespace qmux::tunnel {
namespace {

struct Session {
  explicit Session(int its_id) : id(its_id) {}
  int id;
  bool answered = false;
  Time last_used{};
};

Time at(int seconds) { return Time(std::chrono::seconds(seconds)); }

TEST(SessionAges, evicts_the_least_recently_used_of_those_that_were_never_answered) {
  SessionAges<Session> sessions;
  const auto one = sessions.add(at(1), 1);
  const auto two = sessions.add(at(2), 2);
  const auto three = sessions.add(at(3), 3);
  EXPECT_TRUE(sessions.answered(one, at(4)));
  EXPECT_FALSE(sessions.answered(one, at(4)));
  EXPECT_EQ(sessions.next_to_evict()->id, 2);
  sessions.used(two, at(5));
  EXPECT_EQ(sessions.next_to_evict()->id, 3);
  sessions.erase(three);
  sessions.erase(two);
  EXPECT_EQ(sessions.next_to_evict()->id, 1) << "no other is left";
  EXPECT_EQ(sessions.size(), 1U);
}

TEST(SessionAges, knows_the_oldest_of_both_kinds) {
  SessionAges<Session> sessions;
  const auto one = sessions.add(at(1), 1);
  const auto two = sessions.add(at(2), 2);
  EXPECT_EQ(sessions.oldest()->id, 1);
  sessions.answered(one, at(3));
  EXPECT_EQ(sessions.oldest()->id, 2);
  sessions.used(two, at(4));
  EXPECT_EQ(sessions.oldest()->id, 1);
}

}  // namespace
}  // namespace qmux::tunnel
