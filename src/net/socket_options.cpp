// SPDX-License-Identifier: MIT
#include "net/socket_options.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace qmux::net {

bool set_option(int fd, int level, int name, int value) noexcept {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

void set_tcp_options(int fd) noexcept {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

Address bound_address(int fd) noexcept {
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &length) != 0) return {};
  return {reinterpret_cast<const sockaddr*>(&raw), length};
}

}  // namespace qmux::net
