// SPDX-License-Identifier: MIT
#include "net/process.h"

#include <pthread.h>
#include <sys/resource.h>

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

class SignalWatchTest : public LoopTest {};

TEST_F(SignalWatchTest, tells_of_each_ending_signal_in_the_loop) {
  // Whoever runs the tests ends one that hangs with these signals.
  sigset_t before;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &before), 0);
  take_over_signals();
  std::vector<int> signals;
  SignalWatch watch(loop_.reactor(), [&](int signal) { signals.push_back(signal); });
  ASSERT_TRUE(watch.begin());
  ASSERT_EQ(::pthread_kill(::pthread_self(), SIGTERM), 0);
  ASSERT_TRUE(run_until([&] { return signals.size() == 1; }));
  ASSERT_EQ(::pthread_kill(::pthread_self(), SIGINT), 0);
  ASSERT_TRUE(run_until([&] { return signals.size() == 2; }));
  EXPECT_EQ(signals, (std::vector{SIGTERM, SIGINT}));
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
}

}  // namespace
}  // namespace qmux::net
