// SPDX-License-Identifier: MIT
#include "tunnel/relay.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"
#include "tunnel/relay_go_client.h"

namespace qmux::tunnel {
namespace {

using io::Interest;
using io::IoStatus;
using quic::ErrorCode;

/// Pieces of one read and of one write: kRelayReadCallBytes in chunks, the first and last in part; 256 KiB in chunks.
constexpr std::size_t kReadPieces = 6;
constexpr std::size_t kWritePieces = 16;

constexpr Interest without(Interest set, Interest flag) noexcept {
  return static_cast<Interest>(static_cast<unsigned>(set) & ~static_cast<unsigned>(flag));
}

template <typename Bytes>
std::size_t total_bytes(std::span<const Bytes> views) noexcept {
  std::size_t total = 0;
  for (const Bytes view : views) total += view.size();
  return total;
}

/// The views of the first `bytes`; shortens one of `views` to that end.
std::span<const ConstBytes> first_bytes(std::span<ConstBytes> views, std::size_t bytes) noexcept {
  std::size_t count = 0;
  while (bytes > 0) {
    ConstBytes& view = views[count++];
    view = view.first(std::min(view.size(), bytes));
    bytes -= view.size();
  }
  return views.first(count);
}

}  // namespace

Relay::Relay(io::EventLoop& loop, MemoryBudget& budget, std::unique_ptr<io::TcpSocket> socket, quic::Stream& stream,
             RelayObserver& observer, const RelayOptions& options)
    : Holder(budget),
      loop_(loop),
      observer_(observer),
      socket_(std::move(socket)),
      stream_(&stream),
      peer_(options.peer),
      expect_ack_(options.expect_ack) {
  if (peer_ == RelayPeer::go_client) {
    go_client_ =
        std::make_unique<GoClientRules>(loop, options.conn_id, [this] { tail_due(); }, [this] { held_fin_due(); });
  }
  stream_->set_events(this);
  check_stopped();
  watch();
}

Relay::~Relay() {
  if (stream_ != nullptr) abort(ErrorCode::internal);
}

// --- what socket and stream tell --------------------------------------------------------------------------------------

void Relay::socket_readable() {
  wanted_ = without(wanted_, Interest::read);
  watched_.reset();
  if (pump_to_stream()) settle();
}

void Relay::socket_writable() {
  wanted_ = without(wanted_, Interest::write);
  watched_.reset();
  if (pump_to_socket()) settle();
}

void Relay::socket_reset() { end(RelayEnd::Cause::socket_reset); }

void Relay::stream_readable(quic::Stream& /*stream*/) {
  if (const auto code = stream_->reset_received()) {
    const bool dial_failed = *code == static_cast<std::uint64_t>(ErrorCode::dial_failed);
    end(dial_failed ? RelayEnd::Cause::dial_failed : RelayEnd::Cause::peer_reset);
    return;
  }
  if (expect_ack_ && !take_ack()) return;
  if (go_client_ != nullptr) go_client_->heard();
  if (stream_->fin_received() && peer_ != RelayPeer::exact) go_peer_finished();
  if (pump_to_socket()) settle();
}

void Relay::stream_writable(quic::Stream& /*stream*/) {
  check_stopped();
  if (pump_to_stream()) settle();
}

void Relay::stream_send_done(quic::Stream& /*stream*/) {
  check_stopped();
  settle();
}

bool Relay::has_progressed() {
  const std::uint64_t taken =
      bytes_to_socket_ - std::min<std::uint64_t>(bytes_to_socket_, socket_->unacknowledged_bytes());
  return std::exchange(bytes_taken_seen_, taken) < taken;
}

void Relay::evicted() { end(RelayEnd::Cause::stuck); }

// --- socket to stream -------------------------------------------------------------------------------------------------

bool Relay::pump_to_stream() {
  if (upstream_ == Upstream::discarding) return discard();
  if (upstream_ != Upstream::open) return true;
  std::array<MutableBytes, kReadPieces> room;
  std::size_t left = limits::kRelayReadMaxBytes;
  while (left > 0) {
    const std::size_t count = stream_->send_room(std::min(left, limits::kRelayReadCallBytes), room);
    if (count == 0) return true;  // the socket waits unread until stream_writable()
    const std::span<const MutableBytes> offered(room.data(), count);
    const std::size_t offered_bytes = total_bytes(offered);
    const io::IoResult got = socket_->read(offered);
    stream_->commit(got.count);
    bytes_to_stream_ += got.count;
    if (got.status == IoStatus::end) {
      socket_finished();
      return true;
    }
    if (got.status == IoStatus::reset) {
      end(RelayEnd::Cause::socket_reset);
      return false;
    }
    if (got.count < offered_bytes) break;  // no more is there now
    left -= got.count;
  }
  wanted_ = wanted_ | Interest::read;
  return true;
}

void Relay::socket_finished() {
  if (go_client_ != nullptr && !stream_->fin_received()) {
    upstream_ = Upstream::fin_held;
    go_client_->hold_fin();
    return;
  }
  stream_->finish();
  upstream_ = Upstream::finished;
}

void Relay::held_fin_due() {
  if (upstream_ != Upstream::fin_held) return;
  if (stream_->readable_bytes() > 0) {  // not silence: the visitor has not taken what it said
    go_client_->hold_fin();
    return;
  }
  stream_->finish();
  upstream_ = Upstream::finished;
  settle();
}

/// Resets that are ours do not count.
void Relay::check_stopped() {
  if (stream_->send_stopped() && (upstream_ == Upstream::open || upstream_ == Upstream::fin_held)) peer_stopped();
}

/// STOP_SENDING: the far socket is gone. RESET_STREAM comes with it, unless the far socket had sent FIN before: then that, and
/// what comes before it, is still to be delivered.
void Relay::peer_stopped() {
  peer_lost_bytes_ = true;
  upstream_ = upstream_ == Upstream::fin_held ? Upstream::discarded : Upstream::discarding;
  linger_ = std::make_unique<Timer>(loop_.timers(), [this] { end(RelayEnd::Cause::peer_stopped); });
  linger_->set(loop_.now() + limits::kStoppedLingerMax);
}

/// A Go peer that sends FIN has closed its socket: nothing that we send can arrive any more.
void Relay::go_peer_finished() {
  if (upstream_ == Upstream::fin_held) {
    stream_->finish();
    upstream_ = Upstream::finished;
  } else if (upstream_ == Upstream::open) {
    // A FIN it still reads. Bytes it would leave unread, and the stream open for ever: those need a reset.
    if (stream_->unacknowledged_bytes() == 0) {
      stream_->finish();
    } else {
      peer_lost_bytes_ = true;
      stream_->reset(ErrorCode::shutdown);
    }
    upstream_ = Upstream::discarding;
  }
}

/// Listens for the socket's FIN alone, after it has been given everything. RST instead, at once, could destroy what its kernel
/// has not delivered yet.
bool Relay::discard() {
  std::array<std::byte, 16 * 1024> dropped;
  const MutableBytes room(dropped);
  while (downstream_finished_) {
    const io::IoResult got = socket_->read({&room, 1});
    if (got.status == IoStatus::would_block) {
      wanted_ = wanted_ | Interest::read;
      return true;
    }
    if (got.status == IoStatus::end) {
      upstream_ = Upstream::discarded;
      return true;
    }
    if (got.status == IoStatus::reset) {
      end(RelayEnd::Cause::socket_reset);
      return false;
    }
    peer_lost_bytes_ = true;
    discarded_bytes_ += static_cast<std::uint32_t>(got.count);
    if (discarded_bytes_ > limits::kDiscardMaxBytes) {
      end(RelayEnd::Cause::peer_stopped);
      return false;
    }
  }
  return true;
}

// --- stream to socket -------------------------------------------------------------------------------------------------

bool Relay::take_ack() {
  std::array<ConstBytes, 1> front;
  if (stream_->readable(front) == 0 && !stream_->fin_received()) return true;
  if (stream_->readable_bytes() == 0 || front[0][0] != std::byte{0}) {
    end(RelayEnd::Cause::protocol_error);
    return false;
  }
  stream_->consume(1);
  expect_ack_ = false;
  acknowledged();
  return true;
}

void Relay::acknowledged() {
  acknowledged_ = true;
  observer_.relay_acknowledged(*this);
}

bool Relay::pump_to_socket() {
  if (downstream_finished_ || has(wanted_, Interest::write)) return true;
  std::array<ConstBytes, kWritePieces> views;
  while (const std::size_t count = stream_->readable(views)) {
    const std::size_t before = stream_->readable_bytes();
    if (!write_some({views.data(), count})) return false;
    // It takes no more, or all that is left is held back.
    if (has(wanted_, Interest::write) || stream_->readable_bytes() == before) break;
  }
  return_credit();
  if (stream_->at_end()) {
    socket_->shutdown_write();
    downstream_finished_ = true;
    if (upstream_ == Upstream::discarding) return discard();
  }
  return true;
}

bool Relay::write_some(std::span<ConstBytes> views) {
  const std::size_t seen = total_bytes(std::span<const ConstBytes>(views));
  GoClientRules::Share share{.deliver = seen};
  if (go_client_ != nullptr) {
    share = go_client_->share(views, stream_->fin_received() && seen == stream_->readable_bytes());
    if (share.dial_failed) {
      end(RelayEnd::Cause::dial_failed);
      return false;
    }
  }
  if (share.deliver > 0) {
    const io::IoResult put = socket_->write(first_bytes(views, share.deliver));
    if (put.status == IoStatus::reset) {
      end(RelayEnd::Cause::socket_reset);
      return false;
    }
    stream_->drop(put.count);
    withheld_credit_bytes_ += static_cast<std::uint32_t>(put.count);
    bytes_to_socket_ += put.count;
    progressed_ = progressed_ || put.count > 0;
    if (!acknowledged_ && put.count > 0) acknowledged();
    if (put.count < share.deliver) {
      wanted_ = wanted_ | Interest::write;
      return true;
    }
  }
  stream_->consume(share.drop);
  return true;
}

/// Credit for what the socket took; while memory is tight, only once it has taken everything.
void Relay::return_credit() {
  if (is_tight() && stream_->readable_bytes() > 0) return;
  stream_->return_credit(std::exchange(withheld_credit_bytes_, 0));
}

void Relay::tail_due() {
  if (pump_to_socket()) settle();
}

// --- both -------------------------------------------------------------------------------------------------------------

/// Ends every call in which something changed; the relay may be gone after it.
void Relay::settle() {
  if (downstream_finished_ && (upstream_ == Upstream::finished || upstream_ == Upstream::discarded)) {
    end(peer_lost_bytes_ ? RelayEnd::Cause::peer_stopped : RelayEnd::Cause::complete);
    return;
  }
  if (watched_ != wanted_) watch();
  const std::size_t held = has(wanted_, Interest::write) ? stream_->readable_bytes() : 0;
  const bool progressed = std::exchange(progressed_, false);
  if (held > 0 && (progressed || !is_holding())) (void)has_progressed();  // counts from here
  hold(held, progressed);
}

void Relay::watch() {
  watched_ = wanted_;
  socket_->watch(wanted_, this);
}

void Relay::end(RelayEnd::Cause cause) {
  using Cause = RelayEnd::Cause;
  ErrorCode code = ErrorCode::tcp_reset;
  if (cause == Cause::stuck) code = ErrorCode::limit_reached;
  if (cause == Cause::protocol_error) code = ErrorCode::internal;
  const RelayEnd told = close(cause, code);
  observer_.relay_ended(*this, told);
}

RelayEnd Relay::abort(ErrorCode code) { return close(RelayEnd::Cause::aborted, code); }

RelayEnd Relay::connection_lost() {
  stream_ = nullptr;
  return close(RelayEnd::Cause::connection_lost, ErrorCode::internal);
}

RelayEnd Relay::close(RelayEnd::Cause cause, ErrorCode code) {
  RelayEnd told{.cause = cause, .bytes_to_stream = bytes_to_stream_, .bytes_to_socket = bytes_to_socket_};
  if (stream_ != nullptr) {
    told.peer_code = stream_->reset_received().value_or(0);
    let_go_of_stream(cause, code);
  }
  const bool both_finished =
      downstream_finished_ && (upstream_ == Upstream::finished || upstream_ == Upstream::discarded);
  if (!both_finished) socket_->abort();
  socket_.reset();
  go_client_.reset();
  linger_.reset();
  release();
  return told;
}

void Relay::let_go_of_stream(RelayEnd::Cause cause, ErrorCode code) {
  quic::Stream& stream = *std::exchange(stream_, nullptr);
  // A socket that sent FIN and is reset afterwards has said all it had to say.
  if (cause == RelayEnd::Cause::socket_reset && upstream_ == Upstream::fin_held) stream.finish();
  const bool said_all = cause == RelayEnd::Cause::complete || cause == RelayEnd::Cause::socket_reset;
  if (!stream.finished() || !said_all) stream.reset(code);
  stream.stop_reading(code);
  stream.release();
}

}  // namespace qmux::tunnel
