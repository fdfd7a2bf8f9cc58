// SPDX-License-Identifier: MIT
#include "net/resolver.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "net/background.h"
#include "net/event_loop.h"
#include "net/file_descriptor.h"

namespace qmux::net {
namespace {

using Addresses = Result<std::vector<Address>>;

/// An empty host means this machine.
Addresses ask_system(const HostPort& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;  // any one type: each address is wanted once
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(host.port);
  const int code = ::getaddrinfo(host.host.empty() ? nullptr : host.host.c_str(), port.c_str(), &hints, &found);
  if (code != 0) {
    const std::string why = code == EAI_SYSTEM ? errno_text(errno) : ::gai_strerror(code);
    return fail("cannot resolve \"" + host.host + "\": " + why);
  }
  std::vector<Address> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    const Address address(each->ai_addr, each->ai_addrlen);
    if (address.specified()) addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return fail("cannot resolve \"" + host.host + "\": it has no address");
  return addresses;
}

/// An answer that is already known, reported in a later step of the loop.
class Known final : public io::Resolution {
 public:
  Known(AsioEventLoop& loop, Addresses addresses, io::EventLoop::Resolved done)
      : addresses_(std::move(addresses)), done_(std::move(done)), timer_(loop.timers(), [this] { report(); }) {
    timer_.set(loop.now());
  }

 private:
  void report() {
    // The callback may destroy this.
    auto done = std::move(done_);
    done(std::move(addresses_));
  }

  Addresses addresses_;
  io::EventLoop::Resolved done_;
  Timer timer_;
};

/// A look-up on a thread of its own: getaddrinfo() cannot be cancelled, and may take as long as the timeouts of all name servers
/// together.
class Asked final : public io::Resolution {
 public:
  explicit Asked(AsioEventLoop& loop) : background_(loop.reactor()) {}

  [[nodiscard]] Result<void> begin(const HostPort& host, io::EventLoop::Resolved& done) {
    auto begun = background_.begin([host] { return ask_system(host); },
                                   [this](Addresses addresses) {
                                     auto report = std::move(done_);  // the callback may destroy this
                                     report(std::move(addresses));
                                   });
    if (!begun) return fail("cannot resolve: " + begun.error().what);
    done_ = std::move(done);
    return {};
  }

 private:
  io::EventLoop::Resolved done_;
  Background<Addresses> background_;
};

}  // namespace

std::unique_ptr<io::Resolution> look_up(AsioEventLoop& loop, const HostPort& host, io::EventLoop::Resolved done) {
  if (const auto literal = Address::from_literal(host.host, host.port)) {
    return std::make_unique<Known>(loop, std::vector{*literal}, std::move(done));
  }
  auto asked = std::make_unique<Asked>(loop);
  if (auto begun = asked->begin(host, done); !begun) {
    return std::make_unique<Known>(loop, std::unexpected(begun.error()), std::move(done));
  }
  return asked;
}

Result<std::vector<Address>> look_up_now(const HostPort& host) {
  if (const auto literal = Address::from_literal(host.host, host.port)) return std::vector{*literal};
  if (!host.host.empty()) return ask_system(host);
  const FileDescriptor probe(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return std::vector{Address::any(probe.valid() ? AF_INET6 : AF_INET, host.port)};
}

}  // namespace qmux::net
