// SPDX-License-Identifier: MIT
#include "net/tcp_keep_alive.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>

#include "base/limits.h"
#include "net/socket_options.h"

namespace qmux::net {
namespace {

/// One probe, or its answer, may get lost.
constexpr int kQuestionsMin = 2;

}  // namespace

void set_tcp_keep_alive(int fd, Duration idle) noexcept {
  const auto seconds = static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(idle).count());
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, limits::kTcpProbesMax);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

bool tcp_is_unanswered(int fd, Duration silence) noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return false;
  const int questions = std::max(info.tcpi_retransmits, info.tcpi_probes);
  return questions >= kQuestionsMin && std::chrono::milliseconds(info.tcpi_last_ack_recv) >= silence;
}

}  // namespace qmux::net
