// SPDX-License-Identifier: MIT
#include "tunnel/server/offer.h"

#include <array>
#include <utility>

#include "base/bytes.h"
#include "tunnel/limits.h"
#include "tunnel/relay/acknowledgement.h"
#include "tunnel/relay/relay_go_client.h"

namespace qmux::tunnel {

using io::Interest;
using io::IoStatus;
using quic::ErrorCode;

Offer::Offer(const OfferRules& rules, std::unique_ptr<io::TcpSocket> socket, quic::Stream& stream,
             std::vector<std::byte>& prefix, OfferEvents& events)
    : rules_(rules),
      events_(events),
      socket_(std::move(socket)),
      stream_(&stream),
      prefix_(prefix),
      bytes_sent_(prefix.size()),
      counted_bytes_(prefix.size()) {
  stream_->set_events(this);
  watch();
}

Offer::~Offer() { rules_.kept->remove(counted_bytes_); }

void Offer::expect_go_client(io::EventLoop& loop, std::uint64_t conn_id) {
  go_client_ = std::make_unique<GoClientRules>(loop, conn_id, [this] { decide(); }, [this] { held_fin_due(); });
  watch();
}

bool Offer::may_be_taken_back() const noexcept {
  // Until an answer comes, the copy holds all that the visitor has sent.
  if (rules_.handover == Handover::eager) return true;
  // What is unsent stands at the end of the stream's data.
  return !stream_->send_stopped() && stream_->unsent_bytes() >= prefix_.size();
}

Offer::Parts Offer::release() {
  const auto call = guard_.call();
  socket_->watch(Interest::none, nullptr);
  stream_->set_events(nullptr);
  return {.socket = std::move(socket_),
          .stream = std::exchange(stream_, nullptr),
          .bytes_sent = bytes_sent_,
          .acknowledged = acknowledged_,
          .visitor_ended = fin_passed_on_};
}

void Offer::socket_readable() {
  // A relay reads it: the service is reached, so it stays with this client.
  if (acknowledged_ && rules_.handover != Handover::eager) return decide();
  std::array<std::byte, 16 * 1024> bytes;
  while (prefix_.size() < limits::kVisitorPrefixBytesMax) {
    const MutableBytes room =
        MutableBytes(bytes).first(std::min(bytes.size(), limits::kVisitorPrefixBytesMax - prefix_.size()));
    const io::IoResult got = socket_->read({&room, 1});
    switch (got.status) {
      case IoStatus::done:
        if (!keep(ConstBytes(room).first(got.count))) return;
        if (got.count < room.size()) return watch();
        break;
      case IoStatus::would_block:
        return watch();
      case IoStatus::end:
        visitor_ended();
        return watch();
      case IoStatus::reset:
        return decide();
    }
  }
  if (acknowledged_ || go_client_ != nullptr) return decide();
  watch();
}

/// A Go client would end both directions on a FIN: it is held until the client is silent, as a relay does.
void Offer::visitor_ended() {
  visitor_ended_ = true;
  if (go_client_ != nullptr) return go_client_->hold_fin();
  stream_->finish();
  fin_passed_on_ = true;
}

void Offer::held_fin_due() {
  if (stream_->readable_bytes() == 0) {
    stream_->finish();
    fin_passed_on_ = true;
  }
  decide();
}

void Offer::socket_writable() {}

void Offer::socket_reset() { decide(); }

bool Offer::keep(ConstBytes bytes) {
  stream_->send_copy(bytes);
  bytes_sent_ += bytes.size();
  if (!rules_.kept->add(bytes.size())) {
    decide();
    return false;
  }
  counted_bytes_ += bytes.size();
  prefix_.insert(prefix_.end(), bytes.begin(), bytes.end());
  return true;
}

void Offer::stream_readable(quic::Stream& /*stream*/) {
  if (go_client_ != nullptr) return go_client_answered();
  if (!acknowledged_) {
    if (!take_acknowledgement(*stream_)) return not_acknowledged();
    acknowledged_ = true;
    guard_.check_no_call();
    events_.offer_acknowledged();
  }
  if (is_settled()) decide();
}

bool Offer::is_settled() const noexcept {
  if (has_something()) return true;
  if (rules_.handover != Handover::eager) return visitor_ended_ || !prefix_.empty();
  return !visitor_ended_ && prefix_.size() >= limits::kVisitorPrefixBytesMax;
}

void Offer::go_client_answered() {
  go_client_->heard();
  if (stream_->reset_received()) return decide();
  std::array<ConstBytes, 16> views;
  const std::size_t count = stream_->readable(views);
  std::size_t seen = 0;
  for (const ConstBytes view : std::span(views).first(count)) seen += view.size();
  const bool at_fin = stream_->fin_received() && seen == stream_->readable_bytes();
  const GoClientRules::Share share = go_client_->share(std::span(views).first(count), at_fin);
  if (share.dial_failed && share.deliver == 0) return refuse(ErrorCode::dial_failed);
  // Otherwise all of it may be the beginning of that.
  if (share.deliver > 0 || stream_->fin_received()) decide();
}

void Offer::assume_acknowledged() {
  acknowledged_ = true;
  if (is_settled()) decide();
}

void Offer::not_acknowledged() {
  const auto code = stream_->reset_received();
  const auto why = static_cast<ErrorCode>(code.value_or(0));
  const bool refuses = why == ErrorCode::dial_failed || why == ErrorCode::going_away;
  if (refuses && stream_->readable_bytes() == 0) return refuse(why);
  if (has_something()) decide();  // a relay knows what it means
}

bool Offer::has_something() const noexcept {
  return stream_->readable_bytes() > 0 || stream_->fin_received() || stream_->reset_received();
}

void Offer::stream_writable(quic::Stream& /*stream*/) {}  // of STOP_SENDING: the reset that comes with it tells why

void Offer::stream_send_done(quic::Stream& /*stream*/) {}

void Offer::watch() {
  // More than the copy takes waits in the kernel, but for a Go client, which does not acknowledge: a relay reads it.
  const bool reads = !visitor_ended_ && (prefix_.size() < limits::kVisitorPrefixBytesMax || go_client_ != nullptr);
  socket_->watch(reads ? Interest::read : Interest::none, this);
}

void Offer::decide() {
  guard_.check_no_call();
  events_.offer_decided();
}

void Offer::refuse(ErrorCode why) {
  guard_.check_no_call();
  events_.offer_refused(why);
}

}  // namespace qmux::tunnel
