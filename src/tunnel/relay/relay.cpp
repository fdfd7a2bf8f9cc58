// SPDX-License-Identifier: MIT
#include "tunnel/relay/relay.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tunnel/limits.h"
#include "tunnel/relay/acknowledgement.h"
#include "tunnel/relay/relay_go_client.h"

namespace qmux::tunnel {
namespace {

using io::Interest;
using io::IoStatus;
using quic::ErrorCode;

/// Pieces of one read and of one write: kRelayReadCallBytes in chunks, the first and last in part; 256 KiB in chunks.
constexpr std::size_t kReadPieces = 6;
constexpr std::size_t kWritePieces = 16;

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
             RelayEvents& events, const RelayOptions& options)
    : Holder(budget),
      loop_(loop),
      events_(events),
      socket_(std::move(socket)),
      stream_(&stream),
      bytes_to_stream_(options.bytes_to_stream),
      peer_(options.peer),
      upstream_(options.socket_finished ? Upstream::finished : Upstream::open),
      service_(options.service) {
  if (peer_ == RelayPeer::go_client) {
    go_client_ =
        std::make_unique<GoClientRules>(loop, options.conn_id, [this] { tail_due(); }, [this] { held_fin_due(); });
  }
  if (options.socket_finished) stop_waiting(Interest::read);
  stream_->set_events(this);
  (void)check_stopped();  // ends nothing: nothing is on its way yet
  watch();
}

Relay::~Relay() {
  if (stream_ != nullptr) abort(ErrorCode::internal);
}

// --- socket to stream ------------------------------------------------------------------------------------------------

bool Relay::pump_to_stream() {
  if (upstream_ == Upstream::discarding) return discard();
  if (upstream_ != Upstream::open) return true;
  std::array<MutableBytes, kReadPieces> room;
  std::size_t left = limits::kRelayReadBytesMax;
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
      return !is_ending(LastBytes::Way::to_stream) || lost_after_fin();
    }
    if (got.status == IoStatus::reset) return socket_cut();
    if (got.count < offered_bytes) break;  // no more is there now
    left -= got.count;
  }
  wanted_ = wanted_ | Interest::read;
  return true;
}

void Relay::socket_finished() {
  if (go_client_ != nullptr && !stream_->fin_received()) return hold_fin();
  finish_upstream();
}

void Relay::finish_upstream() {
  stream_->finish();
  upstream_ = Upstream::finished;
}

/// Listens for the socket's FIN alone, after it has been given everything. RST instead, at once, could destroy what its kernel
/// has not delivered yet.
bool Relay::discard() {
  std::array<std::byte, 16 * 1024> dropped;
  const MutableBytes room(dropped);
  while (downstream_ == Downstream::finished) {
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
    if (discarded_bytes_ > limits::kDiscardBytesMax) {
      cut_upstream();  // as TCP would, it answers with RST
      return true;
    }
  }
  return true;
}

// --- stream to socket ------------------------------------------------------------------------------------------------

bool Relay::pump_to_socket() {
  if (downstream_ == Downstream::dropping) {
    stream_->drop(stream_->readable_bytes());
    return true;
  }
  if (downstream_ == Downstream::finished || has(wanted_, Interest::write)) return true;
  std::array<ConstBytes, kWritePieces> views;
  while (const std::size_t count = stream_->readable(views)) {
    const std::size_t before = stream_->readable_bytes();
    if (!write_some({views.data(), count})) return false;
    // It takes no more, or all that is left is held back.
    if (has(wanted_, Interest::write) || stream_->readable_bytes() == before) break;
  }
  if (downstream_ == Downstream::dropping) return true;
  return_credit();
  if (stream_->at_end()) {
    socket_->shutdown_write();
    downstream_ = Downstream::finished;
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
    if (put.status == IoStatus::reset) return socket_lost() && pump_to_stream();
    stream_->drop(put.count);
    withheld_credit_bytes_ += static_cast<std::uint32_t>(put.count);
    bytes_to_socket_ += put.count;
    progressed_ = progressed_ || put.count > 0;
    if (service_ != RelayService::reached && put.count > 0) service_reached();
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

bool Relay::take_ack() {
  if (stream_->readable_bytes() == 0 && !stream_->fin_received()) return true;
  if (!take_acknowledgement(*stream_)) {
    end(RelayEnd::Cause::protocol_error);
    return false;
  }
  service_reached();
  return true;
}

void Relay::service_reached() {
  service_ = RelayService::reached;
  guard_.check_no_call();
  events_.relay_acknowledged(*this);
}

// --- events of socket and stream -------------------------------------------------------------------------------------

void Relay::socket_readable() {
  stop_waiting(Interest::read);
  watched_.reset();
  if (pump_to_stream()) settle();
}

void Relay::socket_writable() {
  stop_waiting(Interest::write);
  watched_.reset();
  if (pump_to_socket()) settle();
}

void Relay::socket_reset() {
  if (socket_lost() && pump_to_stream()) settle();
}

void Relay::stream_readable(quic::Stream& /*stream*/) {
  if (service_ == RelayService::ack_expected && !take_ack()) return;
  if (stream_->reset_received() && !peer_was_reset()) return;
  if (go_client_ != nullptr) go_client_->heard();
  if (stream_->fin_received() && peer_ != RelayPeer::exact && !go_peer_finished()) return;
  if (pump_to_socket()) settle();
}

void Relay::stream_writable(quic::Stream& /*stream*/) {
  if (check_stopped() && pump_to_stream()) settle();
}

void Relay::stream_send_done(quic::Stream& /*stream*/) {
  if (check_stopped()) settle();
}

bool Relay::has_progressed() {
  const bool to_stream = is_ending(LastBytes::Way::to_stream);
  const std::uint64_t passed_on = to_stream ? bytes_to_stream_ : bytes_to_socket_;
  const std::uint64_t waiting = to_stream ? stream_->unacknowledged_bytes() : socket_->unacknowledged_bytes();
  const std::uint64_t taken = passed_on - std::min(passed_on, waiting);
  return std::exchange(bytes_taken_seen_, taken) < taken;
}

void Relay::evicted() { end(RelayEnd::Cause::stuck); }

// --- both ------------------------------------------------------------------------------------------------------------

/// Ends every call in which something changed; the relay may be gone after it.
void Relay::settle() {
  if (both_finished()) {
    end(peer_lost_bytes_ ? RelayEnd::Cause::peer_stopped : RelayEnd::Cause::complete);
    return;
  }
  if (last_bytes_ != nullptr && !await_last_bytes()) return;
  if (watched_ != wanted_) watch();
  std::size_t held = has(wanted_, Interest::write) ? stream_->readable_bytes() : 0;
  if (is_ending(LastBytes::Way::to_stream)) held = stream_->unacknowledged_bytes();
  const bool progressed = std::exchange(progressed_, false);
  if (held > 0 && (progressed || !is_holding())) (void)has_progressed();  // counts from here
  charge(held, progressed);
}

bool Relay::both_finished() const noexcept {
  const bool upstream = upstream_ == Upstream::finished || upstream_ == Upstream::discarded;
  return upstream && downstream_ == Downstream::finished;
}

void Relay::stop_waiting(Interest event) noexcept {
  wanted_ = static_cast<Interest>(static_cast<unsigned>(wanted_) & ~static_cast<unsigned>(event));
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
  const RelayEnd report = close(cause, code);
  guard_.check_no_call();
  events_.relay_ended(*this, report);
}

RelayEnd Relay::abort(ErrorCode code) {
  const auto call = guard_.call();
  return close(RelayEnd::Cause::aborted, code);
}

RelayEnd Relay::connection_lost() {
  const auto call = guard_.call();
  stream_ = nullptr;
  return close(RelayEnd::Cause::connection_lost, ErrorCode::internal);
}

RelayEnd Relay::close(RelayEnd::Cause cause, ErrorCode code) {
  RelayEnd report{
      .cause = cause, .bytes_to_stream = bytes_to_stream_, .bytes_to_socket = bytes_to_socket_, .cut = cut_};
  if (stream_ != nullptr) {
    report.peer_code = stream_->reset_received().value_or(0);
    let_go_of_stream(cause, code);
  }
  if (!both_finished()) socket_->abort();
  socket_.reset();
  go_client_.reset();
  last_bytes_.reset();
  release();
  return report;
}

void Relay::let_go_of_stream(RelayEnd::Cause cause, ErrorCode code) {
  quic::Stream& stream = *std::exchange(stream_, nullptr);
  bool said_all = cause == RelayEnd::Cause::complete || cause == RelayEnd::Cause::socket_reset;
  // Unread bytes keep a stream open in a Go peer's count (docs/PROTOCOL.md).
  if (peer_ != RelayPeer::exact && last_bytes_ != nullptr && stream.unacknowledged_bytes() > 0) said_all = false;
  if (!stream.fin_queued() || !said_all) stream.reset(code);
  stream.stop_reading(code);
  stream.release();
}

}  // namespace qmux::tunnel
