// SPDX-License-Identifier: MIT
//
// The part of Connection that carries DATAGRAM frames (RFC 9221).
#include <algorithm>
#include <array>

#include "base/check.h"
#include "quic/connection.h"
#include "quic/library_guard.h"
#include "quic/ngtcp2_types.h"

namespace qmux::quic {
namespace {

// The end of a packet, too short to be filled with another frame.
constexpr std::size_t kRestIgnoredBytes = 32;

/// Type, length (RFC 9000 section 16) and data.
constexpr std::size_t frame_bytes(std::size_t data_bytes) {
  const std::size_t length_bytes = data_bytes < 64 ? 1 : data_bytes < 16384 ? 2 : 4;
  return 1 + length_bytes + data_bytes;
}

/// The most data whose frame takes no more than `bytes`.
constexpr std::size_t data_bytes_max(std::size_t bytes) {
  for (const std::size_t length_bytes : {4U, 2U, 1U}) {
    if (bytes < 1 + length_bytes) continue;
    const std::size_t encodable = length_bytes == 4 ? bytes : length_bytes == 2 ? 16383 : 63;
    const std::size_t data_bytes = std::min(bytes - 1 - length_bytes, encodable);
    if (frame_bytes(data_bytes) == 1 + length_bytes + data_bytes) return data_bytes;
  }
  return 0;
}

static_assert(data_bytes_max(0) == 0 && data_bytes_max(2) == 0 && data_bytes_max(3) == 1);
static_assert(data_bytes_max(65) == 63 && data_bytes_max(66) == 63 && data_bytes_max(67) == 64);
static_assert(data_bytes_max(16386) == 16383 && data_bytes_max(16388) == 16383 && data_bytes_max(16389) == 16384);

}  // namespace

void Connection::set_datagram_host(DatagramHost* host) noexcept {
  datagram_host_ = host;
  datagrams_due_ = false;
}

void Connection::datagrams_waiting() {
  if (phase_ != Phase::alive || datagram_host_ == nullptr) return;
  if (!datagrams_due_) {
    datagrams_due_ = true;
    share_.datagrams_came();
  }
  host_.touch(*this);
}

std::size_t Connection::frames_room(std::size_t packet_bytes) const noexcept {
  constexpr std::size_t kPacketNumberBytes = 4;  // at most
  constexpr std::size_t kTagBytes = 16;          // of every AEAD that RFC 9001 knows
  return packet_bytes - (1 + ngtcp2_conn_get_dcid(conn_.get())->datalen + kPacketNumberBytes + kTagBytes);
}

std::size_t Connection::datagram_room() const noexcept { return datagram_room(packet_bytes()); }

std::size_t Connection::datagram_room(std::size_t packet_bytes) const noexcept {
  if (!handshake_completed_ || phase_ != Phase::alive) return 0;
  const ngtcp2_transport_params* peer = ngtcp2_conn_get_remote_transport_params(conn_.get());
  if (peer == nullptr) return 0;
  return data_bytes_max(
      static_cast<std::size_t>(std::min<std::uint64_t>(frames_room(packet_bytes), peer->max_datagram_frame_size)));
}

std::optional<OutgoingDatagram> Connection::next_datagram(const PacketInProgress& packet, bool streams_wait) {
  // Asked no sooner than it can be sent: until then the host is free to prefer something fresher.
  if (ngtcp2_conn_get_cwnd_left(conn_.get()) == 0) return std::nullopt;
  const std::size_t room = datagram_room(packet.bytes_max);
  if (room == 0) {
    datagrams_due_ = !handshake_completed_;
    // The peer never takes any: the room of 0 reports this to the host, which may drop what waits.
    if (handshake_completed_) CHECK(!datagram_host_->next_datagram(0, packet.now));
    return std::nullopt;
  }
  if (streams_wait && !share_.datagrams_next(*datagram_host_, schedule_.size())) return std::nullopt;
  const std::optional<OutgoingDatagram> next = datagram_host_->next_datagram(room, packet.now);
  if (!next) {
    datagrams_due_ = false;
    return std::nullopt;
  }
  const std::size_t bytes = next->size();
  CHECK(bytes <= room && next->payload.size() <= kDatagramPiecesMax);
  const bool fits =
      packet.datagram_bytes == 0 || packet.datagram_bytes + frame_bytes(bytes) <= frames_room(packet.bytes_max);
  if (!fits && streams_wait && share_.streams_may_fill()) return std::nullopt;  // they have the rest of the packet
  return next;
}

ngtcp2_ssize Connection::write_datagram(PacketInProgress& packet, const OutgoingDatagram& datagram, bool streams_wait) {
  std::array<ngtcp2_vec, 1 + kDatagramPiecesMax> vectors;
  std::size_t count = 0;
  // ngtcp2 1.11 takes no empty ones.
  const auto add = [&](ConstBytes piece) {
    if (!piece.empty()) vectors[count++] = {const_cast<std::uint8_t*>(as_octets(piece)), piece.size()};
  };
  add(datagram.header);
  for (const ConstBytes& piece : datagram.payload) add(piece);

  const std::size_t bytes = frame_bytes(datagram.size());
  const bool full = packet.datagram_bytes + bytes + kRestIgnoredBytes > frames_room(packet.bytes_max);
  int accepted = 0;
  const ngtcp2_ssize written = guarded([&] {
    return ngtcp2_conn_writev_datagram(conn_.get(), &packet.path.path, &packet.info, as_octets(packet.room),
                                       packet.room.size(), &accepted,
                                       full ? NGTCP2_WRITE_DATAGRAM_FLAG_NONE : NGTCP2_WRITE_DATAGRAM_FLAG_MORE, 0,
                                       vectors.data(), count, tstamp(packet.now));
  });
  if (accepted != 0) {
    packet.datagram_bytes += bytes;
    if (streams_wait) share_.datagrams_sent(bytes);
    datagram_host_->datagram_sent();
  }
  return written;
}

}  // namespace qmux::quic
