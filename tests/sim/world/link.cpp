// SPDX-License-Identifier: MIT
#include "sim/world/link.h"

#include <algorithm>

#include "sim/world/world.h"

namespace qmux::sim {
namespace {

constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

}  // namespace

Link::Link(World& world, const Site& from, Site& to, const LinkProperties& properties)
    : world_(world),
      name_(from.name() + ">" + to.name()),
      to_(to),
      properties_(properties),
      random_(world.random("link " + name_)),
      arrival_(world.events(), [this] { deliver_due(); }) {}

void Link::set_blocked(bool blocked) {
  if (blocked == blocked_) return;
  blocked_ = blocked;
  world_.record("link {} {}", name_, blocked ? "blocked" : "open");
}

std::size_t Link::waiting_bytes() const noexcept {
  if (properties_.rate_bits_per_second == 0 || bottleneck_free_ <= world_.now()) return 0;
  const auto wait = static_cast<std::uint64_t>((bottleneck_free_ - world_.now()).count());
  return static_cast<std::size_t>(static_cast<double>(wait) * static_cast<double>(properties_.rate_bits_per_second) /
                                  (8.0 * static_cast<double>(kNanosecondsPerSecond)));
}

void Link::drop(const Packet& packet, const char* why, std::uint64_t& counter) {
  ++counter;
  world_.record("udp {} drop {} {} bytes", name_, why, packet.bytes.size());
}

void Link::send(Packet&& packet) {
  ++counters_.sent;
  world_.record("udp {} send {} -> {} {} bytes {} ecn {}", name_, packet.source, packet.destination,
                packet.bytes.size(), DigestOf{packet.bytes}, static_cast<int>(packet.ecn));
  if (blocked_) return drop(packet, "blocked", counters_.blocked);
  if (packet.ip_bytes() > properties_.mtu_bytes && !packet.fragmentable)
    return drop(packet, "too large", counters_.too_large);
  if (random_.chance(properties_.loss)) return drop(packet, "lost", counters_.lost);
  const std::size_t waiting = waiting_bytes();
  if (waiting + packet.ip_bytes() > properties_.queue_bytes) return drop(packet, "queue full", counters_.queue_full);
  if (properties_.congestion_mark_bytes != 0 && waiting > properties_.congestion_mark_bytes &&
      packet.ecn != io::Ecn::not_ect) {
    packet.ecn = io::Ecn::ce;
    ++counters_.marked;
  }

  Time leaves = world_.now();
  if (properties_.rate_bits_per_second != 0) {
    leaves = std::max(leaves, bottleneck_free_) +
             Duration(static_cast<Duration::rep>(packet.ip_bytes() * 8 * kNanosecondsPerSecond /
                                                 properties_.rate_bits_per_second));
    bottleneck_free_ = leaves;
  }
  if (random_.chance(properties_.duplication)) {
    ++counters_.duplicated;
    launch(Packet(packet), leaves);
  }
  if (!packet.bytes.empty() && random_.chance(properties_.corruption)) {
    ++counters_.corrupted;
    packet.bytes[random_.below(packet.bytes.size())] ^= static_cast<std::byte>(1U << random_.below(8));
    world_.record("udp {} corrupted", name_);
  }
  launch(std::move(packet), leaves);
}

void Link::launch(Packet&& packet, Time leaves) {
  Time arrives = leaves + properties_.delay + random_.between(Duration{}, properties_.jitter);
  if (random_.chance(properties_.reordering)) {
    ++counters_.reordered;
    arrives += random_.between(Duration{}, properties_.reordering_delay);
  } else {
    arrives = last_in_order_ = std::max(arrives, last_in_order_);
  }
  under_way_.emplace(arrives, std::move(packet));
  arrival_.set(under_way_.begin()->first);
}

void Link::deliver_due() {
  while (!under_way_.empty() && under_way_.begin()->first <= world_.now()) {
    Packet packet = std::move(under_way_.extract(under_way_.begin()).mapped());
    ++counters_.delivered;
    to_.arrive(std::move(packet));
  }
  if (!under_way_.empty()) arrival_.set(under_way_.begin()->first);
}

}  // namespace qmux::sim
