// SPDX-License-Identifier: MIT
#include "net/udp_open.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>

#include "base/log.h"
#include "net/socket_options.h"
#include "net/steering.h"

namespace qmux::net {
namespace {

struct BufferOption {
  int set;
  int force;           ///< beyond the limit, for a privileged process (CAP_NET_ADMIN)
  const char* sysctl;  ///< the limit
  const char* purpose;
};
constexpr BufferOption kReceiveBuffer{SO_RCVBUF, SO_RCVBUFFORCE, "net.core.rmem_max", "receive"};
constexpr BufferOption kSendBuffer{SO_SNDBUF, SO_SNDBUFFORCE, "net.core.wmem_max", "send"};

void ask_for_buffer(int fd, const BufferOption& option, std::size_t bytes, std::atomic_flag& warned) {
  const int asked = static_cast<int>(std::min<std::size_t>(bytes, std::numeric_limits<int>::max() / 2));
  if (!set_option(fd, SOL_SOCKET, option.force, asked)) set_option(fd, SOL_SOCKET, option.set, asked);
  int granted = 0;
  socklen_t length = sizeof granted;
  if (::getsockopt(fd, SOL_SOCKET, option.set, &granted, &length) != 0) return;
  granted /= 2;  // the kernel includes its own bookkeeping
  if (granted >= asked || warned.test_and_set()) return;
  log::warn("UDP buffer smaller than requested: fast paths will lose packets",
            {{"direction", option.purpose},
             {"granted_kib", granted / 1024},
             {"asked_kib", asked / 1024},
             {"remedy", std::string("sysctl -w ") + option.sysctl + "=" + std::to_string(asked)}});
}

void ask_for_buffers(int fd, std::size_t bytes) {
  static std::atomic_flag receive_warned;
  static std::atomic_flag send_warned;
  ask_for_buffer(fd, kReceiveBuffer, bytes, receive_warned);
  ask_for_buffer(fd, kSendBuffer, bytes, send_warned);
}

void set_udp_options(int fd, const io::DatagramOptions& options) {
  // An IPv6 socket may carry IPv4 too: it gets both families' options, and a refused option does no harm.
  const bool local_varies = options.local.is_wildcard() && !options.remote.specified();
  set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, options.fragmentable ? IP_PMTUDISC_DONT : IP_PMTUDISC_PROBE);
  set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
  if (options.local.family() == AF_INET6) {
    set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, options.fragmentable ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_PROBE);
    set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    if (local_varies) set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  } else if (local_varies) {
    set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
  }
  if (options.remote.specified()) {
    set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
    if (options.local.family() == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  }
  set_option(fd, SOL_UDP, UDP_GRO, 1);
  set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  ask_for_buffers(fd, options.buffer_bytes);
}

}  // namespace

Result<FileDescriptor> open_udp(const io::DatagramOptions& options) {
  const Address& local = options.local;
  const auto failed = [](const char* what, const Address& address) {
    return fail(std::string("cannot ") + what + " udp " + address.text() + ": " + errno_text(errno));
  };
  FileDescriptor fd(::socket(local.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!fd.valid()) return failed("open", local);
  if (local.family() == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (options.shared_port && !set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return failed("share", local);
  set_udp_options(fd.get(), options);
  if (::bind(fd.get(), local.raw(), local.raw_length()) != 0) return failed("bind", local);
  if (options.remote.specified() && ::connect(fd.get(), options.remote.raw(), options.remote.raw_length()) != 0) {
    return failed("reach", options.remote);
  }
  if (options.steered_among > 0 && !steer_by_connection_id(fd.get(), options.steered_among))
    return failed("steer", local);
  return fd;
}

}  // namespace qmux::net
