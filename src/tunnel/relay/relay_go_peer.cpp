// SPDX-License-Identifier: MIT
//
// The part of Relay for Go peers, which end both directions at the first FIN; docs/PROTOCOL.md, "What the Go programs get
// wrong".
#include "tunnel/relay/relay.h"
#include "tunnel/relay/relay_go_client.h"

namespace qmux::tunnel {

using quic::ErrorCode;

/// A Go client would end both directions on it: not before it is silent.
void Relay::hold_fin() {
  upstream_ = Upstream::fin_held;
  go_client_->hold_fin();
}

void Relay::held_fin_due() {
  if (upstream_ != Upstream::fin_held) return;
  if (stream_->readable_bytes() > 0) {  // not silence: the visitor has not taken what it sent
    go_client_->hold_fin();
    return;
  }
  finish_upstream();
  settle();
}

void Relay::tail_due() {
  if (pump_to_socket()) settle();
}

/// A Go peer that sends FIN has closed its socket: nothing that we send can arrive any more.
bool Relay::go_peer_finished() {
  if (is_ending(LastBytes::Way::to_stream)) {
    end(RelayEnd::Cause::socket_reset);  // it has passed on what it could
    return false;
  }
  if (upstream_ == Upstream::fin_held) {
    finish_upstream();
  } else if (upstream_ == Upstream::open) {
    // It still reads a FIN. It would leave bytes unread, and the stream open for ever: they need a reset.
    if (stream_->unacknowledged_bytes() == 0) {
      stream_->finish();
    } else {
      peer_lost_bytes_ = true;
      stream_->reset(ErrorCode::shutdown);
    }
    upstream_ = Upstream::discarding;
  }
  return true;
}

/// It ends its stream once its socket has taken everything; STOP_SENDING before would keep it from that.
bool Relay::go_peer_works() const noexcept { return peer_ != RelayPeer::exact && !stream_->fin_received(); }

}  // namespace qmux::tunnel
