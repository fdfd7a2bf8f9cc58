// SPDX-License-Identifier: MIT
#include "sim/actors/udp_caller.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "sim/world/world.h"

namespace qmux::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kProbeInterval = 400ms;
constexpr std::size_t kProbeBytes = 64;

}  // namespace

UdpCaller::UdpCaller(World& world, SimLoop& loop, UdpLedger& ledger, UdpVisitorRecord& visitor, const Address& listener,
                     Duration session_time_min)
    : world_(world),
      loop_(loop),
      ledger_(ledger),
      visitor_(visitor),
      listener_(listener),
      session_time_min_(session_time_min),
      random_(world.random(fmt::format("caller {}", visitor.id))),
      next_(loop.timers(), [this] { go_on(); }) {
  auto socket = loop.open_datagram({.local = Address::any(listener.family(), 0),
                                    .remote = visitor.script.connected ? listener : Address(),
                                    .fragmentable = true},
                                   *this);
  CHECK(socket.has_value());
  socket_ = std::move(*socket);
  world_.record("caller {} is {} and calls {}", visitor.id, socket_->local_address(), listener);
  next_.set(loop_.now());
}

void UdpCaller::go_on() {
  if (!socket_) return;
  const UdpScript& script = visitor_.script;
  if (!over()) {
    for (std::uint32_t i = 0; i < script.burst && !over(); ++i, ++sent_) send(draw_udp_size(random_, script.sizes));
  } else if (awaits_answer()) {
    send(kProbeBytes);
  }
  if (!over()) {
    next_.set(loop_.now() + random_.between(script.pause / 2, script.pause * 3 / 2));
  } else if (awaits_answer()) {
    next_.set(loop_.now() + kProbeInterval);
  } else if (script.leaves) {
    world_.record("caller {} leaves", visitor_.id);
    socket_.reset();
  }
}

void UdpCaller::send(std::size_t bytes) {
  const bool like_fragment = random_.chance(0.4);
  const std::vector<std::byte> payload = ledger_.next(Direction::up, visitor_, bytes, like_fragment);
  const io::SendStatus status = socket_->send(
      {.local = {}, .remote = listener_, .bytes = payload, .segment_bytes = std::max<std::size_t>(bytes, 1)});
  if (status != io::SendStatus::sent) return;
  if (visitor_.up.sent_count > 0 && loop_.now() - last_sent_ >= session_time_min_) ++visitor_.pauses_count;
  last_sent_ = loop_.now();
  ledger_.sent(Direction::up, visitor_, {.bytes = static_cast<std::uint32_t>(bytes), .like_fragment = like_fragment});
}

void UdpCaller::probe_until_answered() {
  if (!socket_) return;
  probing_ = true;
  delivered_before_ = visitor_.up.delivered_count;
  if (over()) next_.set(loop_.now());
}

bool UdpCaller::awaits_answer() const noexcept {
  return socket_ && probing_ && visitor_.up.delivered_count == delivered_before_;
}

void UdpCaller::datagrams_readable() {
  std::array<io::PacketRun, 16> runs;
  while (const std::size_t count = socket_->receive(runs)) {
    for (const io::PacketRun& packets : std::span(runs).first(count)) {
      if (packets.remote != listener_) {
        ledger_.report(fmt::format("visitor {} was answered by {}", visitor_.id, packets.remote.text()));
      }
      for (std::size_t i = 0; i < packets.packet_count(); ++i) ledger_.came_to_visitor(visitor_, packets.packet(i));
    }
  }
}

}  // namespace qmux::sim
