// SPDX-License-Identifier: MIT
#include "tunnel/worker/loss_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "tunnel/fakes/loop.h"
#include "tunnel/limits.h"
#include "tunnel/worker/worker_state.h"

namespace qmux::tunnel {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class LossReportTest : public ::testing::Test {
 protected:
  void drop(UdpDrop why, std::uint64_t payloads = 1) { worker_->counters.udp.drop(why, payloads); }
  /// What is logged while a busy loop runs for so long.
  std::string logged_during(Duration time) {
    return logged([&] {
      for (const Time end = loop_.now() + time; loop_.now() < end; loop_.advance(100ms))
        worker_->losses.look(loop_.now());
    });
  }
  static std::string logged(const std::function<void()>& act) {
    ::testing::internal::CaptureStderr();
    act();
    return ::testing::internal::GetCapturedStderr();
  }

  testing::FakeLoop loop_;
  MemoryLimit stuck_tunnels_{limits::kStuckTunnelsBytesMax, 1};
  std::optional<WorkerState> worker_{std::in_place, loop_, 1U, stuck_tunnels_, Duration::zero()};
};

TEST_F(LossReportTest, says_nothing_while_nothing_is_lost) { EXPECT_EQ(logged_during(10min), ""); }

TEST_F(LossReportTest, tells_of_the_first_losses_together) {
  drop(UdpDrop::queue_full);
  std::string log = logged_during(500ms);
  EXPECT_EQ(log, "");
  drop(UdpDrop::queue_full, 6);
  ++worker_->counters.visitors_no_client;
  log = logged_during(1s);
  EXPECT_THAT(log, HasSubstr(" dropped or refused visitors_no_client=1 udp_queue_full=7\n"));
}

TEST_F(LossReportTest, tells_once_a_minute_what_has_come_since) {
  drop(UdpDrop::stale);
  (void)logged_during(2s);
  drop(UdpDrop::stale, 5);
  EXPECT_EQ(logged_during(50s), "");
  const std::string log = logged_during(10s);
  EXPECT_THAT(log, AllOf(HasSubstr(" udp_stale=5\n"), Not(HasSubstr("udp_stale=6"))));
  EXPECT_EQ(logged_during(10min), "");
}

TEST_F(LossReportTest, reports_the_rest_at_the_end) {
  drop(UdpDrop::too_large, 3);
  EXPECT_THAT(logged([&] { worker_.reset(); }), HasSubstr(" udp_too_large=3\n"));
}

}  // namespace
}  // namespace qmux::tunnel
