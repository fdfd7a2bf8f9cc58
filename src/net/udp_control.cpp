// SPDX-License-Identifier: MIT
#include "net/udp_control.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <cstring>

namespace qmux::net {
namespace {

bool is_ipv4(const Address& address) noexcept {
  if (address.family() != AF_INET6) return true;
  return IN6_IS_ADDR_V4MAPPED(&reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr);
}

template <typename Value>
void append(msghdr& message, ControlBuffer& buffer, int level, int type, const Value& value) noexcept {
  auto* header = reinterpret_cast<cmsghdr*>(buffer.bytes.data() + message.msg_controllen);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(header), &value, sizeof value);
  message.msg_controllen += CMSG_SPACE(sizeof value);
}

template <typename Value>
Value value_of(const cmsghdr& header) noexcept {
  Value value;
  std::memcpy(&value, CMSG_DATA(&header), sizeof value);
  return value;
}

void append_source(msghdr& message, ControlBuffer& buffer, const Address& local) noexcept {
  if (local.family() == AF_INET) {
    in_pktinfo source{};
    source.ipi_spec_dst = reinterpret_cast<const sockaddr_in*>(local.raw())->sin_addr;
    append(message, buffer, IPPROTO_IP, IP_PKTINFO, source);
  } else {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(local.raw());
    in6_pktinfo source{};
    source.ipi6_addr = v6->sin6_addr;
    source.ipi6_ifindex = v6->sin6_scope_id;
    append(message, buffer, IPPROTO_IPV6, IPV6_PKTINFO, source);
  }
}

Address with_port(const void* raw, socklen_t length, std::uint16_t port) noexcept {
  Address address(static_cast<const sockaddr*>(raw), length);
  address.set_port(port);
  return address;
}

Address destination(const in_pktinfo& info, std::uint16_t port) noexcept {
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_addr = info.ipi_addr;
  return with_port(&raw, sizeof raw, port);
}

Address destination(const in6_pktinfo& info, std::uint16_t port) noexcept {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_addr = info.ipi6_addr;
  if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) raw.sin6_scope_id = info.ipi6_ifindex;
  return with_port(&raw, sizeof raw, port);
}

io::Ecn ecn_of(unsigned traffic_class) noexcept { return static_cast<io::Ecn>(traffic_class & 3U); }

}  // namespace

void write_control(msghdr& message, ControlBuffer& buffer, const SendControl& control, const Address& remote) noexcept {
  message.msg_control = buffer.bytes.data();
  message.msg_controllen = 0;
  if (control.segment_bytes > 0) {
    append(message, buffer, SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(control.segment_bytes));
  }
  if (control.ecn != io::Ecn::not_ect) {
    const int traffic_class = static_cast<int>(control.ecn);
    if (is_ipv4(remote)) {
      append(message, buffer, IPPROTO_IP, IP_TOS, traffic_class);
    } else {
      append(message, buffer, IPPROTO_IPV6, IPV6_TCLASS, traffic_class);
    }
  }
  if (control.local.specified() && !control.local.is_wildcard()) append_source(message, buffer, control.local);
  if (message.msg_controllen == 0) message.msg_control = nullptr;
}

void read_control(msghdr& message, io::PacketRun& run, std::uint32_t& overflow_count) noexcept {
  const std::uint16_t port = run.local.port();
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    const auto is = [&](int level, int type) { return header->cmsg_level == level && header->cmsg_type == type; };
    if (is(SOL_UDP, UDP_GRO)) {
      run.segment_bytes = static_cast<std::size_t>(value_of<int>(*header));
    } else if (is(IPPROTO_IP, IP_TOS)) {
      run.ecn = ecn_of(value_of<std::uint8_t>(*header));
    } else if (is(IPPROTO_IPV6, IPV6_TCLASS)) {
      run.ecn = ecn_of(static_cast<unsigned>(value_of<int>(*header)));
    } else if (is(IPPROTO_IP, IP_PKTINFO)) {
      run.local = destination(value_of<in_pktinfo>(*header), port);
    } else if (is(IPPROTO_IPV6, IPV6_PKTINFO)) {
      run.local = destination(value_of<in6_pktinfo>(*header), port);
    } else if (is(SOL_SOCKET, SO_RXQ_OVFL)) {
      overflow_count = value_of<std::uint32_t>(*header);
    }
  }
}

}  // namespace qmux::net
