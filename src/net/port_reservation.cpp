// SPDX-License-Identifier: MIT
#include "net/port_reservation.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "net/socket_options.h"

namespace qmux::net {
namespace {

/// Binds without sharing, which fails when another socket has the port.
FileDescriptor bind_alone(Transport transport, const Address& local) {
  const int type = transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
  FileDescriptor fd(::socket(local.family(), type | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fd;
  // For TCP this allows connections of an earlier listener to linger, not another listener.
  if (transport == Transport::tcp) set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (local.family() == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(fd.get(), local.raw(), local.raw_length()) != 0) return {};
  return fd;
}

/// Abstract names are per network namespace, as ports are.
FileDescriptor lock(const std::string& name) {
  FileDescriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fd;
  sockaddr_un raw{};
  raw.sun_family = AF_UNIX;
  const std::size_t length = name.copy(raw.sun_path + 1, sizeof raw.sun_path - 1);
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&raw), bytes) != 0) return {};
  return fd;
}

}  // namespace

Result<PortReservation> PortReservation::take(Transport transport, const Address& local) {
  const std::string protocol = transport == Transport::tcp ? "tcp" : "udp";
  const auto failed = [&](const Address& address) {
    return fail("cannot listen on " + protocol + " " + address.text() + ": " + errno_text(errno));
  };
  const FileDescriptor alone = bind_alone(transport, local);
  if (!alone.valid()) return failed(local);
  const Address actual = bound_address(alone.get());
  FileDescriptor held = lock("qmux/" + protocol + "/" + actual.text());
  if (!held.valid()) return failed(actual);
  return PortReservation(actual, std::move(held));
}

}  // namespace qmux::net
