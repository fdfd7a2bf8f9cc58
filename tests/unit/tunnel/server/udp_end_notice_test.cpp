// SPDX-License-Identifier: MIT
#include "tunnel/server/udp_end_notice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/fakes/loop.h"
#include "tunnel/limits.h"
#include "wire/limits.h"

namespace qmux::tunnel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EndNoticeTest : public ::testing::Test {
 protected:
  void pass(int intervals) { loop_.advance(intervals * Duration(limits::kUdpEndNoticeInterval)); }

  testing::FakeLoop loop_;
  bool takes_ = true;  ///< the client
  std::vector<std::vector<std::uint32_t>> told_;
  Counter dropped_;
  UdpEndNotice notice_{loop_, dropped_, [this](const std::vector<std::uint32_t>& sessions) {
                         if (takes_) told_.push_back(sessions);
                         return takes_;
                       }};
};

TEST_F(EndNoticeTest, tells_together_what_ends_within_an_interval) {
  notice_.add(1);
  notice_.add(2);
  EXPECT_THAT(told_, IsEmpty());
  pass(1);
  EXPECT_THAT(told_, ElementsAre(ElementsAre(1, 2)));
  pass(10);
  notice_.add(7);
  pass(1);
  EXPECT_THAT(told_, ElementsAre(ElementsAre(1, 2), ElementsAre(7)));
}

TEST_F(EndNoticeTest, keeps_what_the_client_does_not_take_now) {
  takes_ = false;
  notice_.add(1);
  pass(3);
  takes_ = true;
  notice_.add(2);
  pass(1);
  EXPECT_THAT(told_, ElementsAre(ElementsAre(1, 2)));
}

TEST_F(EndNoticeTest, tells_a_flood_in_messages_of_bounded_size_and_forgets_what_is_too_much) {
  for (std::uint32_t id = 0; id < 3 * limits::kUdpSessionsPerConnectionMax; ++id) notice_.add(id);
  pass(100);
  std::size_t sessions = 0;
  for (const auto& each : told_) {
    EXPECT_THAT(each, SizeIs(limits::kUdpEndNoticeSessionsMax));
    sessions += each.size();
  }
  EXPECT_EQ(sessions, limits::kUdpSessionsPerConnectionMax);
  EXPECT_EQ(dropped_, 2 * limits::kUdpSessionsPerConnectionMax);
}

}  // namespace
}  // namespace qmux::tunnel
