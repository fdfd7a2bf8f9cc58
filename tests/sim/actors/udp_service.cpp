// SPDX-License-Identifier: MIT
#include "sim/actors/udp_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "sim/world/world.h"

namespace qmux::sim {

UdpService::UdpService(World& world, SimLoop& loop, UdpLedger& ledger, const Address& address)
    : world_(world),
      loop_(loop),
      ledger_(ledger),
      address_(address),
      name_("UDP service at " + address.text()),
      random_(world.random(name_)) {
  come_back();
}

void UdpService::go_down() {
  world_.record("{} goes down", name_);
  socket_.reset();
}

void UdpService::come_back() {
  if (socket_) return;
  auto socket = loop_.open_datagram({.local = address_, .remote = {}, .fragmentable = true}, *this);
  CHECK(socket.has_value());
  socket_ = std::move(*socket);
}

void UdpService::datagrams_readable() {
  std::array<io::PacketRun, 16> runs;
  while (const std::size_t count = socket_->receive(runs)) {
    for (const io::PacketRun& packets : std::span(runs).first(count)) {
      for (std::size_t i = 0; i < packets.packet_count(); ++i) came(packets.remote, packets.packet(i));
    }
  }
}

void UdpService::came(const Address& from, ConstBytes payload) {
  UdpSource& source = sources_[from];
  const bool known = source.visitor.has_value();
  ledger_.came_to_service(source, payload);
  if (!source.visitor) return;
  UdpVisitorRecord& visitor = ledger_.visitors[*source.visitor];
  if (!known) world_.record("{} knows {} as caller {}", name_, from, visitor.id);
  switch (visitor.script.answer) {
    case UdpAnswer::echo:
      return send(from, visitor, payload.size(), false);
    case UdpAnswer::sized:
      return send(from, visitor, random_.between(0, 4'000), false);
    case UdpAnswer::chatty:
      send(from, visitor, payload.size(), false);
      if (random_.chance(0.3)) send_later(from, visitor);
      return;
    case UdpAnswer::none:
      return;
  }
}

void UdpService::send(const Address& to, UdpVisitorRecord& visitor, std::size_t bytes, bool unasked) {
  const bool like_fragment = random_.chance(0.4);
  const std::vector<std::byte> payload = ledger_.next(Direction::down, visitor, bytes, like_fragment);
  const io::SendStatus status =
      socket_->send({.local = {}, .remote = to, .bytes = payload, .segment_bytes = std::max<std::size_t>(bytes, 1)});
  if (status != io::SendStatus::sent) return;
  ledger_.sent(Direction::down, visitor,
               {.bytes = static_cast<std::uint32_t>(bytes), .like_fragment = like_fragment, .unasked = unasked});
}

void UdpService::send_later(const Address& to, UdpVisitorRecord& visitor) {
  world_.after(random_.between(Duration{}, kUnaskedTimeMax), [this, to, &visitor] {
    if (socket_) send(to, visitor, draw_udp_size(random_, visitor.script.sizes), true);
  });
}

}  // namespace qmux::sim
