// SPDX-License-Identifier: MIT
#include "net/udp_errors.h"

// Before <linux/errqueue.h>, which uses its types.
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "net/udp_control.h"

namespace qmux::net {
namespace {

using io::Unreachable;

Unreachable by_icmp(unsigned type, unsigned code) noexcept {
  if (type != ICMP_DEST_UNREACH) return Unreachable::none;
  switch (code) {
    case ICMP_PORT_UNREACH:
      return Unreachable::port;
    case ICMP_NET_UNREACH:
    case ICMP_NET_UNKNOWN:
      return Unreachable::network;
    case ICMP_NET_ANO:
    case ICMP_HOST_ANO:
    case ICMP_PKT_FILTERED:
      return Unreachable::prohibited;
    case ICMP_FRAG_NEEDED:
      return Unreachable::none;
    default:
      return Unreachable::host;
  }
}

Unreachable by_icmp6(unsigned type, unsigned code) noexcept {
  constexpr unsigned kPolicyFailed = 5;  // RFC 4443 section 3.1
  constexpr unsigned kRouteRejected = 6;
  if (type != ICMP6_DST_UNREACH) return Unreachable::none;
  switch (code) {
    case ICMP6_DST_UNREACH_NOPORT:
      return Unreachable::port;
    case ICMP6_DST_UNREACH_NOROUTE:
      return Unreachable::network;
    case ICMP6_DST_UNREACH_ADMIN:
    case kPolicyFailed:
    case kRouteRejected:
      return Unreachable::prohibited;
    default:
      return Unreachable::host;
  }
}

Unreachable meaning(const sock_extended_err& error) noexcept {
  switch (error.ee_origin) {
    case SO_EE_ORIGIN_ICMP:
      return by_icmp(error.ee_type, error.ee_code);
    case SO_EE_ORIGIN_ICMP6:
      return by_icmp6(error.ee_type, error.ee_code);
    default:
      return unreachable_by_errno(static_cast<int>(error.ee_errno));
  }
}

}  // namespace

Unreachable unreachable_by_errno(int error) noexcept {
  switch (error) {
    case ECONNREFUSED:
      return Unreachable::port;
    case EHOSTUNREACH:
    case EHOSTDOWN:
      return Unreachable::host;
    case ENETUNREACH:
    case ENETDOWN:
      return Unreachable::network;
    case EACCES:
    case EPERM:
      return Unreachable::prohibited;
    default:
      return Unreachable::none;
  }
}

std::optional<Unreachable> take_queued_error(int fd) noexcept {
  ControlBuffer control;
  msghdr message{};  // without room for the packet that the error is about
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  if (::recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    const bool is_error = (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
                          (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR);
    if (!is_error) continue;
    sock_extended_err error;
    std::memcpy(&error, CMSG_DATA(header), sizeof error);
    return meaning(error);
  }
  return Unreachable::none;
}

}  // namespace qmux::net
