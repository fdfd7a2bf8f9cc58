// SPDX-License-Identifier: MIT
#include "net/process.h"

#include <pthread.h>
#include <sys/resource.h>

#include <csignal>
#include <optional>
#include <vector>

#include "net/loop_fixture.h"

namespace qmux::net {
namespace {

TEST(Process, raises_the_limit_of_open_files_to_what_is_allowed) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit lowered = limit;
  lowered.rlim_cur = 256;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  EXPECT_EQ(raise_descriptor_limit(), limit.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/// Signals and SIGHUP's disposition are as before at the end: they are what ends a test that hangs.
class SignalWatchTest : public LoopTest {
 protected:
  SignalWatchTest() {
    EXPECT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &mask_before_), 0);
    EXPECT_EQ(::sigaction(SIGHUP, nullptr, &hang_up_before_), 0);
  }
  ~SignalWatchTest() override {
    // One that still waits is dropped by this.
    static_cast<void>(std::signal(SIGHUP, SIG_IGN));
    EXPECT_EQ(::sigaction(SIGHUP, &hang_up_before_, nullptr), 0);
    EXPECT_EQ(::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr), 0);
  }

  void watch() {
    take_over_signals();
    watch_.emplace(loop_.reactor(), [this](int signal) { signals_.push_back(signal); });
    ASSERT_TRUE(watch_->begin());
  }
  static void send(int signal) { ASSERT_EQ(::pthread_kill(::pthread_self(), signal), 0); }

  std::optional<SignalWatch> watch_;
  std::vector<int> signals_;

 private:
  sigset_t mask_before_{};
  struct sigaction hang_up_before_{};
};

TEST_F(SignalWatchTest, reports_each_signal_in_the_loop) {
  static_cast<void>(std::signal(SIGHUP, SIG_DFL));
  watch();
  send(SIGTERM);
  ASSERT_TRUE(run_until([&] { return signals_.size() == 1; }));
  send(SIGHUP);
  ASSERT_TRUE(run_until([&] { return signals_.size() == 2; }));
  send(SIGINT);
  ASSERT_TRUE(run_until([&] { return signals_.size() == 3; }));
  EXPECT_EQ(signals_, (std::vector{SIGTERM, SIGHUP, SIGINT}));
}

TEST_F(SignalWatchTest, leaves_an_ignored_hang_up_ignored) {
  static_cast<void>(std::signal(SIGHUP, SIG_IGN));
  watch();
  send(SIGHUP);
  send(SIGTERM);
  ASSERT_TRUE(run_until([&] { return !signals_.empty(); }));
  EXPECT_EQ(signals_, std::vector{SIGTERM});
}

}  // namespace
}  // namespace qmux::net
