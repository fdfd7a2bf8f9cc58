// SPDX-License-Identifier: MIT
#include "net/network_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "base/log.h"
#include "net/event_loop.h"
#include "net/file_descriptor.h"
#include "net/socket_options.h"

namespace qmux::net {
namespace {

/// A new address comes before the route over it.
constexpr Duration kReportDelay = std::chrono::milliseconds(10);

FileDescriptor open_netlink() {
  FileDescriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
  if (fd.valid() && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

}  // namespace

NetworkWatch::NetworkWatch(AsioEventLoop& loop, io::EventLoop::NetworkEvents& events)
    : loop_(loop), descriptor_(loop.reactor(), *this), report_(loop.timers(), [&events] { events.network_changed(); }) {
  FileDescriptor fd = open_netlink();
  if (!fd.valid() || !descriptor_.open(fd.release())) {
    log::info("changes of the network are not noticed", {{"cause", errno_text(errno)}});
    return;
  }
  descriptor_.arm(Readiness::read);
}

void NetworkWatch::ready(Readiness) {
  // What the messages say does not matter: each observer looks at what concerns it.
  std::array<std::byte, 8192> message;
  while (::recv(descriptor_.fd(), message.data(), message.size(), MSG_TRUNC) > 0 || errno == EINTR ||
         errno == ENOBUFS) {
  }
  descriptor_.arm(Readiness::read);
  if (!report_.is_set()) report_.set(loop_.now() + kReportDelay);
}

}  // namespace qmux::net
