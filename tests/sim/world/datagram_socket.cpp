// SPDX-License-Identifier: MIT
#include "sim/world/datagram_socket.h"

#include <algorithm>

#include "base/check.h"
#include "base/io/event_loop.h"
#include "sim/world/host.h"
#include "sim/world/network.h"
#include "sim/world/world.h"

namespace qmux::sim {
namespace {

constexpr std::size_t kRunSegmentsMax = 64;
constexpr std::size_t kRunBytesMax = 65'507;
constexpr Duration kBlockedTimeMax = std::chrono::microseconds(500);

}  // namespace

SimDatagramSocket::SimDatagramSocket(ReadyQueue& ready, Lent& lent, Host& host, const Address& local,
                                     const io::DatagramOptions& options, io::DatagramSocket::Events& events)
    : ReadySource(ready),
      lent_(lent),
      host_(host),
      local_(local),
      remote_(options.remote),
      shared_port_(options.shared_port),
      steered_among_(options.steered_among),
      buffer_bytes_(options.buffer_bytes),
      fragmentable_(options.fragmentable),
      events_(events),
      random_(host.world().random("udp " + host.name() + " " + local.text())),
      unblock_(host.world().events(), [this] {
        blocked_ = false;
        enqueue(Ready::writable);
      }) {
  host_.add(*this);
}

SimDatagramSocket::~SimDatagramSocket() { host_.remove(*this); }

void SimDatagramSocket::arrive(Packet&& packet) {
  World& world = host_.world();
  if (received_bytes_ + packet.ip_bytes() > buffer_bytes_) {
    ++overflowed_;
    world.record("udp {} drop, receive buffer full", host_.name());
    return;
  }
  world.record("udp {} arrive {} from {} {} bytes", host_.name(), packet.destination, packet.source,
               packet.bytes.size());
  received_bytes_ += packet.ip_bytes();
  received_.push_back(std::move(packet));
  enqueue(Ready::readable);
}

void SimDatagramSocket::refuse() {
  host_.world().record("udp {} {} refused by {}", host_.name(), local_, remote_);
  unreachable_ = io::Unreachable::port;
  enqueue(Ready::readable);
}

io::PacketRun SimDatagramSocket::take_run() {
  const std::size_t segment = received_.front().bytes.size();
  io::PacketRun run{.local = received_.front().destination,
                    .remote = received_.front().source,
                    .bytes = {},
                    .segment_bytes = std::max<std::size_t>(segment, 1),
                    .ecn = received_.front().ecn};
  std::vector<std::byte>& bytes = lent_.emplace_back();
  for (std::size_t count = 0; count < kRunSegmentsMax && !received_.empty(); ++count) {
    const Packet& next = received_.front();
    if (next.source != run.remote || next.destination != run.local || next.ecn != run.ecn) break;
    if (next.bytes.size() > segment || (count > 0 && next.bytes.empty()) ||
        bytes.size() + next.bytes.size() > kRunBytesMax)
      break;
    // The kernel joins what came in one batch only: sometimes it does not.
    if (count > 0 && random_.chance(0.1)) break;
    const bool last = next.bytes.size() < segment;
    bytes.insert(bytes.end(), next.bytes.begin(), next.bytes.end());
    received_bytes_ -= next.ip_bytes();
    received_.pop_front();
    if (last || segment == 0) break;
  }
  run.bytes = bytes;
  return run;
}

std::size_t SimDatagramSocket::receive(std::span<io::PacketRun> out) {
  lent_.clear();
  lent_.reserve(out.size());
  std::size_t count = 0;
  while (count < out.size() && !received_.empty()) out[count++] = take_run();
  return count;
}

Address SimDatagramSocket::source_for(const io::PacketRun& run, const Address& destination) const {
  Address source = run.local.specified() && !run.local.is_wildcard() ? run.local : local_;
  if (source.is_wildcard()) {
    // To itself a host speaks from the very address that it speaks to.
    source = host_.owns(destination) ? destination : host_.address(destination.family(), 0);
  }
  source.set_port(local_.port());
  return source;
}

bool SimDatagramSocket::run_out_of_room() {
  if (!random_.chance(host_.send_block_chance())) return false;
  blocked_ = true;
  unblock_.set(host_.world().now() + random_.between(Duration{1}, kBlockedTimeMax));
  return true;
}

io::SendStatus SimDatagramSocket::send_packet(const io::PacketRun& run, std::size_t index) {
  if (blocked_ || run_out_of_room()) return io::SendStatus::would_block;
  const ConstBytes bytes = run.packet(index);
  Packet packet;
  packet.destination = remote_.specified() ? remote_ : run.remote;
  CHECK(packet.destination.family() == local_.family());
  packet.source = source_for(run, packet.destination);
  packet.ecn = run.ecn;
  packet.fragmentable = fragmentable_;
  packet.bytes.assign(bytes.begin(), bytes.end());
  if (bytes.size() > kRunBytesMax || (packet.ip_bytes() > host_.interface_mtu() && !fragmentable_)) {
    host_.world().record("udp {} too large, {} bytes", host_.name(), packet.bytes.size());
    return io::SendStatus::too_large;
  }
  host_.world().network().send(host_, std::move(packet));
  return io::SendStatus::sent;
}

io::SendStatus SimDatagramSocket::send(const io::PacketRun& run) {
  CHECK(run.bytes.size() <= kRunBytesMax && run.packet_count() <= kRunSegmentsMax);
  if (blocked_) return io::SendStatus::would_block;
  const bool resumed = run.bytes.data() == interrupted_run_.data() && run.bytes.size() == interrupted_run_.size();
  std::size_t at = resumed ? interrupted_at_ : 0;
  interrupted_run_ = {};
  interrupted_at_ = 0;
  for (; at < run.packet_count(); ++at) {
    const io::SendStatus status = send_packet(run, at);
    if (status == io::SendStatus::sent) continue;
    if (status == io::SendStatus::would_block) {
      interrupted_run_ = run.bytes;
      interrupted_at_ = at;
    }
    return status;
  }
  return io::SendStatus::sent;
}

std::size_t SimDatagramSocket::send_all(std::span<const io::PacketRun> runs) {
  std::size_t lost = 0;
  for (const io::PacketRun& run : runs) {
    CHECK(run.bytes.size() <= kRunBytesMax && run.packet_count() <= kRunSegmentsMax);
    for (std::size_t i = 0; i < run.packet_count(); ++i) {
      if (send_packet(run, i) != io::SendStatus::sent) ++lost;
    }
  }
  return lost;
}

void SimDatagramSocket::ready(unsigned kind) {
  if (kind == Ready::readable) {
    events_.datagrams_readable();
  } else {
    events_.datagrams_writable();
  }
}

}  // namespace qmux::sim
