// SPDX-License-Identifier: MIT
#include "sim/world/tcp_pipe.h"

#include <algorithm>

#include "sim/world/world.h"

namespace qmux::sim {
namespace {

/// While a link is blocked, TCP tries again so often; a real one backs off, which only makes runs longer.
constexpr Duration kRetransmissionInterval = std::chrono::milliseconds(200);
constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

}  // namespace

TcpPipe::TcpPipe(World& world, std::string name, const TcpProperties& properties, Link& link, Events& events)
    : world_(world),
      name_(std::move(name)),
      properties_(properties),
      link_(link),
      events_(events),
      random_(world.random("tcp " + name_)),
      arrival_(world.events(), [this] { deliver_due(); }) {}

std::size_t TcpPipe::room() const noexcept {
  const std::size_t held = unsent_.size() + in_flight_bytes_;
  return held >= properties_.send_buffer_bytes ? 0 : properties_.send_buffer_bytes - held;
}

std::size_t TcpPipe::write(ConstBytes bytes) {
  const std::size_t count = std::min(room(), bytes.size());
  unsent_.append(bytes.first(count));
  pump();
  return count;
}

void TcpPipe::finish() {
  if (fin_queued_ || reset_sent_) return;
  fin_queued_ = true;
  pump();
}

void TcpPipe::reset() {
  if (reset_sent_) return;
  reset_sent_ = true;
  unsent_.clear();
  if (random_.chance(properties_.reset_overtakes_chance)) {
    in_flight_.clear();
    in_flight_bytes_ = 0;
    line_free_ = world_.now();
  }
  launch(Kind::rst, {});
}

void TcpPipe::abandon_sending() {
  reset_sent_ = true;
  unsent_.clear();
}

std::size_t TcpPipe::read(MutableBytes into) {
  const std::size_t count = received_.take(into);
  if (count > 0) pump();
  return count;
}

void TcpPipe::abandon_reading() {
  reader_gone_ = true;
  received_.clear();
}

void TcpPipe::pump() {
  if (reset_sent_) return;
  while (!unsent_.empty()) {
    const std::size_t taken = received_.size() + in_flight_bytes_;
    const std::size_t window = taken >= properties_.receive_buffer_bytes ? 0 : properties_.receive_buffer_bytes - taken;
    // No silly windows (RFC 9293, section 3.8.6.2).
    if (window < std::min({unsent_.size(), properties_.segment_bytes_max, properties_.receive_buffer_bytes / 2}))
      return;
    std::size_t size = std::min({window, unsent_.size(), properties_.segment_bytes_max});
    if (random_.chance(0.2)) size = random_.between(1, size);
    std::vector<std::byte> bytes(size);
    unsent_.take(bytes);
    launch(Kind::data, std::move(bytes));
  }
  if (fin_queued_ && !fin_sent_) {
    fin_sent_ = true;
    launch(Kind::fin, {});
  }
}

void TcpPipe::launch(Kind kind, std::vector<std::byte> bytes) {
  line_free_ = std::max(line_free_, world_.now());
  if (properties_.rate_bytes_per_second != 0) {
    line_free_ +=
        Duration(static_cast<Duration::rep>(bytes.size() * kNanosecondsPerSecond / properties_.rate_bytes_per_second));
  }
  const LinkProperties& link = link_.properties();
  Time arrives = line_free_ + link.delay + random_.between(Duration{}, link.jitter);
  if (!in_flight_.empty()) arrives = std::max(arrives, in_flight_.back().arrives);
  in_flight_bytes_ += bytes.size();
  in_flight_.push_back({arrives, kind, std::move(bytes)});
  if (in_flight_.size() == 1) arrival_.set(arrives);
}

void TcpPipe::deliver_due() {
  while (!in_flight_.empty() && in_flight_.front().arrives <= world_.now()) {
    if (events_.pipe_blocked(*this)) {
      arrival_.set(world_.now() + kRetransmissionInterval);
      return;
    }
    Segment segment = std::move(in_flight_.front());
    in_flight_.pop_front();
    deliver(std::move(segment));
  }
  if (!in_flight_.empty()) arrival_.set(in_flight_.front().arrives);
}

void TcpPipe::deliver(Segment&& segment) {
  in_flight_bytes_ -= segment.bytes.size();
  switch (segment.kind) {
    case Kind::data:
      world_.record("tcp {} data {} bytes {}", name_, segment.bytes.size(), DigestOf{segment.bytes});
      if (!reader_gone_) received_.append(segment.bytes);
      if (writable()) events_.pipe_writable(*this);
      break;
    case Kind::fin:
      world_.record("tcp {} fin", name_);
      fin_received_ = true;
      break;
    case Kind::rst:
      world_.record("tcp {} rst", name_);
      if (!reader_gone_ && random_.chance(properties_.reset_purges_chance)) received_.clear();
      return events_.pipe_reset(*this);
  }
  events_.pipe_readable(*this);
}

}  // namespace qmux::sim
