// SPDX-License-Identifier: MIT
#include "sim/world/loop.h"

#include <algorithm>

#include "base/check.h"
#include "sim/world/host.h"
#include "sim/world/network.h"
#include "sim/world/resolution.h"
#include "sim/world/tcp_listener.h"
#include "sim/world/tcp_socket.h"
#include "sim/world/world.h"

namespace qmux::sim {

SimLoop::SimLoop(Host& host, std::string name)
    : host_(host),
      random_(host.world().random("loop " + name)),
      schedule_(host.world().random("schedule " + name)),
      now_(host.world().now()),
      ready_([this] { plan_pass_soon(); }),
      pass_timer_(host.world().events(), [this] { pass(); }) {
  host.world().loops_.push_back(this);
}

SimLoop::~SimLoop() { std::erase(host_.world().loops_, this); }

std::int64_t SimLoop::unix_seconds() const noexcept { return host_.world().unix_seconds(); }

void SimLoop::set_frozen(bool frozen) {
  if (frozen == frozen_) return;
  frozen_ = frozen;
  host_.world().record("loop on {} {}", host_.name(), frozen ? "frozen" : "goes on");
  if (frozen) {
    pass_timer_.cancel();
  } else {
    plan_pass_soon();
  }
}

void SimLoop::plan_pass(Time at) {
  if (!frozen_ && at < pass_timer_.deadline()) pass_timer_.set(at);
}

void SimLoop::plan_pass_soon() { plan_pass(host_.world().now() + schedule_.between(Duration{}, processing_time_max_)); }

void SimLoop::plan_pass_for_timers() {
  // Never earlier than the timer, and never in the past.
  if (timers_.next() < pass_timer_.deadline()) plan_pass(std::max(timers_.next(), host_.world().now()));
}

void SimLoop::request_pass() noexcept { plan_pass_soon(); }

void SimLoop::wake() noexcept {
  woken_ = true;
  plan_pass_soon();
}

void SimLoop::note_network_change() {
  network_changed_ = true;
  plan_pass_soon();
}

void SimLoop::pass() {
  ++pass_count_;
  now_ = host_.world().now();
  if (std::exchange(network_changed_, false) && network_events_ != nullptr) network_events_->network_changed();
  if (std::exchange(woken_, false) && wake_handler_) wake_handler_();
  ready_.notify_all();
  timers_.expire(now_);
  if (pass_events_ != nullptr) pass_events_->end_of_pass(now_);
}

Result<std::unique_ptr<io::DatagramSocket>> SimLoop::open_datagram(const io::DatagramOptions& options,
                                                                   io::DatagramSocket::Events& events) {
  Address local = options.local;
  if (options.remote.specified()) {
    if (!local.specified()) local = Address::any(options.remote.family(), 0);
    if (local.is_wildcard()) {
      // Connecting picks the source address.
      const std::uint16_t port = local.port();
      local = host_.owns(options.remote) ? options.remote : host_.address(options.remote.family(), 0);
      local.set_port(port);
    }
  }
  const Result<Address> bound = host_.claim_udp(local, options.shared_port);
  if (!bound) return std::unexpected(bound.error());
  return std::make_unique<SimDatagramSocket>(ready_, lent_, host_, *bound, options, events);
}

Result<std::unique_ptr<io::TcpListener>> SimLoop::listen_tcp(const Address& local, bool shared_port,
                                                             io::TcpListener::Events& events) {
  const Result<Address> bound = host_.claim_tcp(local, shared_port);
  if (!bound) return std::unexpected(bound.error());
  return std::make_unique<SimTcpListener>(ready_, host_, *bound, shared_port, events);
}

Result<std::unique_ptr<io::TcpSocket>> SimLoop::connect_tcp(const Address& remote) {
  TcpConnection& connection = host_.world().network().connect_tcp(host_, remote);
  return std::make_unique<SimTcpSocket>(ready_, connection, TcpSide::client);
}

std::unique_ptr<io::TcpSocket> SimLoop::adopt_tcp(io::TcpHandle handle) {
  const TcpConnection::EndId end = TcpConnection::from_handle(std::move(handle));
  return std::make_unique<SimTcpSocket>(ready_, *end.connection, end.side);
}

std::unique_ptr<io::Resolution> SimLoop::resolve(const HostPort& host, Resolved done) {
  const Duration delay = schedule_.between(Duration{}, Duration(std::chrono::milliseconds(20)));
  return std::make_unique<SimResolution>(ready_, host_.world(), host, delay, std::move(done));
}

}  // namespace qmux::sim
