// SPDX-License-Identifier: MIT
#include "base/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <charconv>
#include <cstring>
#include <utility>

namespace qmux {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > 65535) return {};
  return static_cast<std::uint16_t>(value);
}

/// Of an interface's name, or of its number in digits, as host_text() prints an interface that has gone; 0 is none.
unsigned scope_index(const char* text) noexcept {
  if (const unsigned index = if_nametoindex(text); index != 0) return index;
  unsigned index = 0;
  const char* const end = text + std::strlen(text);
  const auto [parsed, error] = std::from_chars(text, end, index);
  return error == std::errc{} && parsed == end ? index : 0;
}

std::uint64_t mix(std::uint64_t h, std::uint64_t value) noexcept {
  h ^= value + 0x9e3779b97f4a7c15U + (h << 6U) + (h >> 2U);
  return h * 0xff51afd7ed558ccdU;
}

constexpr auto kForm = "host:port, or [IPv6]:port";

std::unexpected<Error> refuse(std::string_view text, std::string_view what, std::string expected = kForm) {
  return fail("\"" + std::string(text) + "\" " + std::string(what), {}, std::move(expected));
}

Result<HostPort> with_port(std::string_view host, std::string_view port_text) {
  if (ends_in_number(host) && !Address::from_literal(host, 0)) {
    return refuse(host, "is not an IPv4 address", std::string(kIpv4Form));
  }
  const auto port = parse_port(port_text);
  if (!port) return refuse(port_text, "is not a port", "a number from 0 to 65535");
  return HostPort{std::string(host), *port};
}

std::string in_brackets(std::string_view ip) { return "[" + std::string(ip) + "]"; }

/// "[IPv6]:port"
Result<HostPort> parse_bracketed(std::string_view text) {
  const auto close = text.find(']');
  if (close == std::string_view::npos) return refuse(text, "has an unclosed bracket");
  const std::string_view host = text.substr(1, close - 1);
  const std::string_view rest = text.substr(close + 1);
  if (!host.contains(':') || !Address::from_literal(host, 0)) return refuse(host, "is not an IPv6 address");
  if (rest.empty() || rest == ":") return refuse(text, "has no port", in_brackets(host) + ":port");
  if (!rest.starts_with(':')) return refuse(text, "has no \":\" after its bracket", in_brackets(host) + ":port");
  return with_port(host, rest.substr(1));
}

/// "host:port"
Result<HostPort> parse_plain(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return refuse(text, "has no port");
  const std::string_view host = text.substr(0, colon);
  if (!host.contains(':')) return with_port(host, text.substr(colon + 1));
  // "::1:443" may be an address with a port as well as one without. Here it means the first.
  if (Address::from_literal(host, 0) && parse_port(text.substr(colon + 1))) {
    return fail("the IPv6 address in \"" + std::string(text) + "\" needs brackets", {},
                in_brackets(host) + std::string(text.substr(colon)));
  }
  if (Address::from_literal(text, 0)) return refuse(text, "has no port", in_brackets(text) + ":port");
  return refuse(text, "has more than one \":\"");
}

}  // namespace

bool ends_in_number(std::string_view host) noexcept {
  const std::string_view last = host.substr(host.rfind('.') + 1);  // all of it, where there is no dot
  return !last.empty() && last.find_first_not_of("0123456789") == std::string_view::npos;
}

Address::Address() noexcept : storage_{} {
  std::memset(&storage_, 0, sizeof storage_);
  storage_.v4.sin_family = AF_UNSPEC;
}

Address::Address(const sockaddr* raw, socklen_t length) noexcept : Address() {
  if (raw->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    std::memcpy(&storage_.v4, raw, sizeof(sockaddr_in));
    std::memset(storage_.v4.sin_zero, 0, sizeof storage_.v4.sin_zero);
  } else if (raw->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    std::memcpy(&storage_.v6, raw, sizeof(sockaddr_in6));
    storage_.v6.sin6_flowinfo = 0;
  }
}

std::optional<Address> Address::from_literal(std::string_view ip, std::uint16_t port) noexcept {
  char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
  if (ip.empty() || ip.size() >= sizeof text || ip.contains('\0')) return {};
  ip.copy(text, ip.size());
  text[ip.size()] = '\0';

  Address address;
  if (inet_pton(AF_INET, text, &address.storage_.v4.sin_addr) == 1) {
    address.storage_.v4.sin_family = AF_INET;
    address.set_port(port);
    return address;
  }
  unsigned scope = 0;
  if (char* percent = std::strchr(text, '%')) {
    *percent = '\0';
    scope = scope_index(percent + 1);
    if (scope == 0) return {};
  }
  in6_addr v6;
  if (inet_pton(AF_INET6, text, &v6) != 1) return {};
  address.storage_.v6.sin6_family = AF_INET6;
  address.storage_.v6.sin6_addr = v6;
  address.storage_.v6.sin6_scope_id = scope;
  address.set_port(port);
  return address;
}

std::optional<Address> Address::parse(std::string_view ip_and_port) noexcept {
  const auto colon = ip_and_port.rfind(':');
  if (colon == std::string_view::npos) return {};
  const auto port = parse_port(ip_and_port.substr(colon + 1));
  if (!port) return {};
  std::string_view host = ip_and_port.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return {};
  } else if (host.find(':') != std::string_view::npos) {
    return {};
  }
  return from_literal(host, *port);
}

Address Address::any(int family, std::uint16_t port) noexcept {
  Address address;
  address.storage_.v4.sin_family = static_cast<sa_family_t>(family);
  address.set_port(port);
  return address;
}

const sockaddr* Address::raw() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }

socklen_t Address::raw_length() const noexcept {
  return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

std::uint16_t Address::port() const noexcept {
  return ntohs(family() == AF_INET6 ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

void Address::set_port(std::uint16_t port) noexcept {
  (family() == AF_INET6 ? storage_.v6.sin6_port : storage_.v4.sin_port) = htons(port);
}

bool Address::is_wildcard() const noexcept {
  if (family() == AF_INET) return storage_.v4.sin_addr.s_addr == INADDR_ANY;
  return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&storage_.v6.sin6_addr);
}

bool Address::lacks_interface() const noexcept {
  return family() == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&storage_.v6.sin6_addr) && storage_.v6.sin6_scope_id == 0;
}

Address Address::holder() const noexcept {
  Address holder = *this;
  if (family() == AF_UNSPEC) return holder;
  holder.set_port(0);
  if (family() == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr)) {
    std::memset(&holder.storage_.v6.sin6_addr.s6_addr[8], 0, 8);
  }
  return holder;
}

bool Address::same_host(const Address& other) const noexcept {
  if (family() != other.family()) return false;
  if (family() == AF_INET) return storage_.v4.sin_addr.s_addr == other.storage_.v4.sin_addr.s_addr;
  if (family() != AF_INET6) return true;
  return std::memcmp(&storage_.v6.sin6_addr, &other.storage_.v6.sin6_addr, sizeof(in6_addr)) == 0 &&
         storage_.v6.sin6_scope_id == other.storage_.v6.sin6_scope_id;
}

bool operator==(const Address& a, const Address& b) noexcept { return a.same_host(b) && a.port() == b.port(); }

std::string Address::host_text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &storage_.v4.sin_addr, text, sizeof text);
    return text;
  }
  if (family() != AF_INET6) return "unspecified";
  if (IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr)) {
    inet_ntop(AF_INET, &storage_.v6.sin6_addr.s6_addr[12], text, sizeof text);
    return text;
  }
  inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text);
  std::string host = text;
  if (storage_.v6.sin6_scope_id != 0) {
    char name[IF_NAMESIZE];
    host += '%';
    host += if_indextoname(storage_.v6.sin6_scope_id, name) != nullptr ? std::string(name)
                                                                       : std::to_string(storage_.v6.sin6_scope_id);
  }
  return host;
}

std::string Address::text() const {
  if (!specified()) return "unspecified";
  const std::string host = host_text();
  const bool bracketed = host.find(':') != std::string::npos;
  return (bracketed ? "[" + host + "]" : host) + ":" + std::to_string(port());
}

std::size_t Address::hash(std::uint64_t seed) const noexcept {
  std::uint64_t h = mix(seed, static_cast<std::uint64_t>(family()) << 16U | port());
  if (family() == AF_INET) return mix(h, storage_.v4.sin_addr.s_addr);
  if (family() != AF_INET6) return h;
  std::uint64_t halves[2];
  std::memcpy(halves, &storage_.v6.sin6_addr, sizeof halves);
  return mix(mix(h, halves[0]), halves[1]);
}

Result<HostPort> HostPort::parse(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    std::string_view rest = text.substr(scheme + 3);
    rest = rest.substr(0, rest.find('/'));
    const auto meant = parse(rest);
    return refuse(text, "is a URL", meant ? meant->text() : kForm);
  }
  return text.starts_with('[') ? parse_bracketed(text) : parse_plain(text);
}

std::string HostPort::text() const {
  const bool bracketed = host.find(':') != std::string::npos;
  return (bracketed ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace qmux
