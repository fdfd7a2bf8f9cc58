// SPDX-License-Identifier: MIT
//
// One UDP datagram under way, and the things that packets go between.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/io/datagram_socket.h"

namespace qmux::sim {

struct Packet {
  Address source;
  Address destination;
  io::Ecn ecn = io::Ecn::not_ect;
  bool fragmentable = false;  ///< passes a smaller MTU: its fragments count as one packet
  bool refusal = false;  ///< ICMP port unreachable: no socket has `source`, to which `destination` had sent a packet
  std::vector<std::byte> bytes;

  /// With the IP and UDP headers: what an MTU is about.
  [[nodiscard]] std::size_t ip_bytes() const noexcept {
    return bytes.size() + (destination.family() == AF_INET6 ? 48U : 28U);
  }
};

/// An end of links: a host, or the NAT box in front of some.
class Site {
 public:
  explicit Site(std::string name) : name_(std::move(name)) {}
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  virtual ~Site() = default;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// A packet has reached this site.
  virtual void arrive(Packet&& packet) = 0;

 private:
  std::string name_;
};

}  // namespace qmux::sim
