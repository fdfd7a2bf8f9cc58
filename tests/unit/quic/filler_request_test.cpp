// SPDX-License-Identifier: MIT
#include "quic/filler_request.h"

#include <gtest/gtest.h>

namespace qmux::quic {
namespace {

constexpr Time kNow{std::chrono::seconds(10)};

TEST(FillerRequest, asks_the_owner_once_for_what_the_packet_takes) {
  FillerRequest request;
  EXPECT_FALSE(request.due());
  EXPECT_EQ(request.take(), std::nullopt);
  EXPECT_TRUE(request.want(1452, kNow));
  EXPECT_TRUE(request.due());
  EXPECT_EQ(request.take(), 1452U);
  EXPECT_FALSE(request.due());
  EXPECT_EQ(request.take(), std::nullopt);
}

TEST(FillerRequest, asks_again_after_an_interval) {
  FillerRequest request;
  ASSERT_TRUE(request.want(1452, kNow));
  (void)request.take();
  EXPECT_FALSE(request.want(1342, kNow + limits::kPathMtuFillerInterval - Duration(1)));
  EXPECT_FALSE(request.due());
  EXPECT_TRUE(request.want(1342, kNow + limits::kPathMtuFillerInterval));
  EXPECT_EQ(request.take(), 1342U);
}

TEST(FillerRequest, asks_at_once_after_a_packet_was_tried) {
  FillerRequest request;
  ASSERT_TRUE(request.want(1452, kNow));
  (void)request.take();
  request.packet_tried();
  EXPECT_FALSE(request.awaited(kNow));
  EXPECT_TRUE(request.want(1232, kNow));
}

TEST(FillerRequest, is_awaited_for_a_moment) {
  FillerRequest request;
  EXPECT_FALSE(request.awaited(kNow));
  ASSERT_TRUE(request.want(1452, kNow));
  (void)request.take();
  EXPECT_TRUE(request.awaited(kNow + limits::kPathMtuFillerWait - Duration(1)));
  EXPECT_FALSE(request.awaited(kNow + limits::kPathMtuFillerWait));
}

}  // namespace
}  // namespace qmux::quic
