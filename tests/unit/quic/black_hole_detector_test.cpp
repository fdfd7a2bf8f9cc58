// SPDX-License-Identifier: MIT
#include "quic/black_hole_detector.h"

#include <gtest/gtest.h>

namespace qmux::quic {
namespace {

/// Loses packets until one is missing to a black hole.
void lose_almost_enough(BlackHoleDetector& detector, std::size_t bytes) {
  for (int i = 1; i < limits::kPathMtuLossesMax; ++i) ASSERT_FALSE(detector.packet_lost(bytes));
}

TEST(BlackHoleDetector, is_found_by_losses_in_a_row) {
  BlackHoleDetector detector;
  lose_almost_enough(detector, 1400);
  EXPECT_TRUE(detector.packet_lost(1452));
  lose_almost_enough(detector, 1400);
  EXPECT_TRUE(detector.packet_lost(1400)) << "counting begins anew after each";
}

TEST(BlackHoleDetector, a_packet_as_large_as_the_smallest_lost_refutes_it) {
  BlackHoleDetector detector;
  lose_almost_enough(detector, 1452);
  detector.packet_arrived(1451);
  EXPECT_TRUE(detector.packet_lost(1452)) << "a smaller one does not";
  ASSERT_FALSE(detector.packet_lost(1400));
  ASSERT_FALSE(detector.packet_lost(1452));
  detector.packet_arrived(1400);
  lose_almost_enough(detector, 1452);
}

TEST(BlackHoleDetector, the_smallest_is_of_the_losses_that_count) {
  BlackHoleDetector detector;
  ASSERT_FALSE(detector.packet_lost(1300));
  detector.packet_arrived(1300);
  lose_almost_enough(detector, 1452);
  detector.packet_arrived(1300);
  EXPECT_TRUE(detector.packet_lost(1452));
}

TEST(BlackHoleDetector, another_path_begins_anew) {
  BlackHoleDetector detector;
  lose_almost_enough(detector, 1452);
  detector.reset();
  lose_almost_enough(detector, 1452);
}

}  // namespace
}  // namespace qmux::quic
