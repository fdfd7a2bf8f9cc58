// SPDX-License-Identifier: MIT
#include "app/demo/one_processor.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace qmux::app {
namespace {

cpu_set_t allowed(pid_t process) {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(process, sizeof set, &set), 0);
  return set;
}

TEST(OneProcessor, holds_this_process_and_others_until_it_goes) {
  const pid_t other = fork();
  if (other == 0) {
    pause();
    _exit(0);
  }
  const cpu_set_t before = allowed(0);
  {
    const OneProcessor one({other});
    EXPECT_TRUE(one.holds());
    const cpu_set_t own = allowed(0);
    const cpu_set_t its = allowed(other);
    EXPECT_EQ(CPU_COUNT(&own), 1);
    EXPECT_TRUE(CPU_EQUAL(&own, &its));
  }
  const cpu_set_t own = allowed(0);
  const cpu_set_t its = allowed(other);
  EXPECT_TRUE(CPU_EQUAL(&own, &before));
  EXPECT_TRUE(CPU_EQUAL(&its, &before));
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
}

TEST(OneProcessor, says_when_it_cannot) {
  const pid_t gone = fork();
  if (gone == 0) _exit(0);
  waitpid(gone, nullptr, 0);
  EXPECT_FALSE(OneProcessor({gone}).holds());
}

}  // namespace
}  // namespace qmux::app
