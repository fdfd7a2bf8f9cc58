// SPDX-License-Identifier: MIT
//
// The part of Relay that ends in a reset: of the socket, of the stream, or STOP_SENDING. What was sent before it goes first.
#include <memory>

#include "tunnel/limits.h"
#include "tunnel/relay/relay.h"

namespace qmux::tunnel {

using io::Interest;
using quic::ErrorCode;

bool Relay::is_ending(LastBytes::Way way) const noexcept { return last_bytes_ != nullptr && last_bytes_->way() == way; }

void Relay::begin_last_bytes(LastBytes::Way way) {
  last_bytes_ = std::make_unique<LastBytes>(loop_, way, [this] { settle(); });
  bytes_taken_seen_ = 0;
}

/// Resets that are ours do not count.
bool Relay::check_stopped() {
  if (!stream_->send_stopped()) return true;
  if (is_ending(LastBytes::Way::to_stream)) {
    end(RelayEnd::Cause::socket_reset);  // both sockets are gone
    return false;
  }
  if (upstream_ == Upstream::open || upstream_ == Upstream::fin_held) peer_stopped();
  return true;
}

/// STOP_SENDING: the far socket is gone. RESET_STREAM comes with it, unless the far socket had sent FIN before: then that, and
/// what comes before it, is still to be delivered.
void Relay::peer_stopped() {
  peer_lost_bytes_ = true;
  upstream_ = upstream_ == Upstream::fin_held ? Upstream::discarded : Upstream::discarding;
  begin_last_bytes(LastBytes::Way::to_socket);
}

/// RESET_STREAM. Only where the far socket was reset does what arrived before still count.
bool Relay::peer_was_reset() {
  const auto code = static_cast<ErrorCode>(stream_->reset_received().value_or(0));
  const bool gone_too = is_ending(LastBytes::Way::to_stream);
  if (code != ErrorCode::tcp_reset || gone_too) {
    end(code == ErrorCode::dial_failed ? RelayEnd::Cause::dial_failed : RelayEnd::Cause::peer_reset);
    return false;
  }
  cut_upstream();
  stream_->reset(ErrorCode::tcp_reset);
  return true;
}

/// The socket is read no more, and reset once what it was given before has arrived.
void Relay::cut_upstream() {
  upstream_ = Upstream::cut;
  stop_waiting(Interest::read);
  if (last_bytes_ == nullptr) begin_last_bytes(LastBytes::Way::to_socket);
  last_bytes_->then_reset = true;
}

/// The socket was reset and can be written no more. What it sent before may still be there to be read.
bool Relay::socket_lost() {
  if (is_ending(LastBytes::Way::to_stream)) return true;
  const bool is_heard =
      upstream_ == Upstream::open || upstream_ == Upstream::fin_held || upstream_ == Upstream::finished;
  if (!is_heard || last_bytes_ != nullptr) {
    end(RelayEnd::Cause::socket_reset);
    return false;
  }
  begin_last_bytes(LastBytes::Way::to_stream);
  if (downstream_ == Downstream::open) downstream_ = Downstream::dropping;
  stop_waiting(Interest::write);
  return upstream_ == Upstream::open || lost_after_fin();
}

/// What a socket has sent up to its FIN is complete, whatever follows: the stream delivers that by itself.
bool Relay::lost_after_fin() {
  if (upstream_ == Upstream::fin_held) finish_upstream();
  if (peer_ == RelayPeer::exact) {
    end(RelayEnd::Cause::socket_reset);
    return false;
  }
  last_bytes_->then_reset = true;  // for STOP_SENDING must wait
  return true;
}

/// The socket was reset and everything that it sent before has been read.
bool Relay::socket_cut() {
  if (!socket_lost()) return false;
  stop_waiting(Interest::read);
  if (peer_ == RelayPeer::exact) {
    upstream_ = Upstream::cut;
    stream_->notify_acknowledged();
  } else {
    // A Go peer takes both for the end, but of a reset stream it drops what it has not passed on yet.
    finish_upstream();
  }
  last_bytes_->then_reset = true;
  return true;
}

std::size_t Relay::last_bytes_left() const {
  if (is_ending(LastBytes::Way::to_socket)) return stream_->readable_bytes() + socket_->unacknowledged_bytes();
  return stream_->unacknowledged_bytes() + (go_peer_works() ? 1 : 0);
}

bool Relay::await_last_bytes() {
  const bool to_stream = is_ending(LastBytes::Way::to_stream);
  const RelayEnd::Cause cause = to_stream                   ? RelayEnd::Cause::socket_reset
                                : stream_->reset_received() ? RelayEnd::Cause::peer_reset
                                                            : RelayEnd::Cause::peer_stopped;
  const std::size_t left = last_bytes_left();
  const bool all_there = left == 0 && (last_bytes_->then_reset || downstream_ == Downstream::finished);
  if (all_there && last_bytes_->then_reset) {
    end(cause);
    return false;
  }
  Duration idle_time_max = limits::kLastBytesIdleTimeMax;
  if (all_there) idle_time_max = limits::kStoppedLingerTimeMax;
  if (to_stream && stream_->unacknowledged_bytes() == 0)
    idle_time_max = limits::kLastBytesTimeMax;  // a Go peer at work
  const LastBytes::Progress progress = last_bytes_->wait(left, idle_time_max);
  if (progress == LastBytes::Progress::out_of_time) {
    cut_ = !all_there;
    end(cause);
    return false;
  }
  progressed_ = progressed_ || progress == LastBytes::Progress::some;
  return true;
}

}  // namespace qmux::tunnel
