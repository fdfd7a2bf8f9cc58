// SPDX-License-Identifier: MIT
//
// Notices that addresses, links or routes of this machine change (rtnetlink(7)). What changes within a short time is reported
// once, since one change of network is a series of messages.
#pragma once

#include "base/io/event_loop.h"
#include "base/timer_queue.h"
#include "net/reactor.h"

namespace qmux::net {

class AsioEventLoop;

class NetworkWatch final : Reactor::Events {
 public:
  /// Where the kernel refuses, a line is logged, and nothing is ever reported.
  NetworkWatch(AsioEventLoop& loop, io::EventLoop::NetworkEvents& events);

 private:
  void ready(Readiness) override;

  AsioEventLoop& loop_;
  Descriptor descriptor_;
  Timer report_;
};

}  // namespace qmux::net
