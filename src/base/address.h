// SPDX-License-Identifier: MIT
//
// An IP address with a port: a value, 32 bytes, ordered and hashable. Textual form "1.2.3.4:80", "[2001:db8::1]:80".
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace qmux {

class Address {
 public:
  /// No address: family AF_UNSPEC.
  Address() noexcept;
  /// `raw` is AF_INET or AF_INET6 and `length` bytes long; anything else gives the unspecified address.
  Address(const sockaddr* raw, socklen_t length) noexcept;

  /// An IP literal, without brackets; IPv6 may name a scope ("fe80::1%eth0"). Nothing when it is not one.
  [[nodiscard]] static std::optional<Address> from_literal(std::string_view ip, std::uint16_t port) noexcept;
  /// "1.2.3.4:80" or "[::1]:80"; nothing when it is not an IP literal with a port.
  [[nodiscard]] static std::optional<Address> parse(std::string_view ip_and_port) noexcept;
  [[nodiscard]] static Address any(int family, std::uint16_t port) noexcept;

  [[nodiscard]] const sockaddr* raw() const noexcept;
  [[nodiscard]] socklen_t raw_length() const noexcept;
  [[nodiscard]] int family() const noexcept { return storage_.v4.sin_family; }
  [[nodiscard]] bool specified() const noexcept { return family() != AF_UNSPEC; }
  [[nodiscard]] std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;
  /// 0.0.0.0 or ::
  [[nodiscard]] bool is_wildcard() const noexcept;
  /// A link-local IPv6 address without an interface, which no system call accepts (RFC 4007 section 6).
  [[nodiscard]] bool lacks_interface() const noexcept;
  /// The key under which per-source limits count this address. IPv4: the address without its port. IPv6: its /64, because a host
  /// that has one address of a /64 has all of them (RFC 6177).
  [[nodiscard]] Address holder() const noexcept;
  /// The same IP address (and scope), whatever the ports.
  [[nodiscard]] bool same_host(const Address& other) const noexcept;

  /// "1.2.3.4:80", "[::1]:80"; "unspecified" without an address. An IPv4-mapped IPv6 address prints as IPv4.
  [[nodiscard]] std::string text() const;
  /// Without port and brackets.
  [[nodiscard]] std::string host_text() const;
  /// `seed`: random where a peer may choose many addresses, so that it cannot choose addresses that collide.
  [[nodiscard]] std::size_t hash(std::uint64_t seed = 0) const noexcept;

  friend bool operator==(const Address& a, const Address& b) noexcept;

 private:
  union {
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_;
};

/// A host that ends in a number is an IPv4 address or a misspelt one: the last label of a host name is never a number (RFC 3696
/// section 2).
[[nodiscard]] bool ends_in_number(std::string_view host) noexcept;
inline constexpr std::string_view kIpv4Form = "four numbers from 0 to 255, such as 192.0.2.1";

/// A host (name or IP literal, no brackets) and a port, as configuration gives them.
struct HostPort {
  std::string host;  ///< may be empty: "every address" where something listens
  std::uint16_t port = 0;

  /// "host:port", "[v6]:port", ":port". The Error's `where` is empty.
  [[nodiscard]] static Result<HostPort> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

}  // namespace qmux

template <>
struct std::hash<qmux::Address> {
  std::size_t operator()(const qmux::Address& address) const noexcept { return address.hash(); }
};
