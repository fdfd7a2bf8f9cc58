// SPDX-License-Identifier: MIT
//
// Runs a real event loop until something has happened, with a deadline.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "net/event_loop.h"

namespace qmux::net {

inline constexpr auto kPatience = std::chrono::seconds(10);

class LoopTest : public testing::Test, public io::EventLoop::PassEvents {
 protected:
  LoopTest() : owned_loop_(AsioEventLoop::make().value()), loop_(*owned_loop_) { loop_.set_pass_events(this); }

  /// Passes until `done` holds at the end of one; false when the deadline came first.
  bool run_until(std::function<bool()> done) {
    done_ = std::move(done);
    expired_ = false;
    Timer deadline(loop_.timers(), [this] {
      expired_ = true;
      loop_.stop();
    });
    deadline.set(loop_.now() + kPatience);
    loop_.run();
    return !expired_;
  }

  void end_of_pass(Time) override {
    ++passes_;
    if (done_()) loop_.stop();
  }

  static Address loopback(std::uint16_t port = 0) { return Address::from_literal("127.0.0.1", port).value(); }
  static Address loopback6(std::uint16_t port = 0) { return Address::from_literal("::1", port).value(); }

  std::unique_ptr<AsioEventLoop> owned_loop_;
  AsioEventLoop& loop_;
  int passes_ = 0;

 private:
  std::function<bool()> done_ = [] { return true; };
  bool expired_ = false;
};

}  // namespace qmux::net
