// SPDX-License-Identifier: MIT
//
// The part of Connection that makes packets: what goes into them, which stream is next, and how many at once.
#include <algorithm>
#include <array>

#include "quic/connection.h"
#include "quic/connection_callbacks.h"
#include "quic/library_guard.h"
#include "quic/limits.h"
#include "quic/ngtcp2_types.h"

namespace qmux::quic {

bool Connection::fill(PacketBatch& batch, Time now) {
  if (phase_ == Phase::alive) return fill_alive(batch, now);
  if (phase_ == Phase::closing && close_packet_due_) fill_close(batch);
  return false;
}

std::size_t Connection::quantum_bytes(const ngtcp2_conn_info& info) const {
  constexpr std::size_t kMostBytes = std::size_t{64} * 1024;
  const std::size_t quantum = std::min(ngtcp2_conn_get_send_quantum(conn_.get()), kMostBytes);
  if (transport_.congestion_control == CongestionControl::bbr) return quantum;
  // ngtcp2 gives CUBIC always 64 KiB, which overruns short queues of slow links: one millisecond's worth instead.
  const std::uint64_t rtt_us = std::max<std::uint64_t>(info.smoothed_rtt / 1000, 1);
  const std::size_t per_millisecond =
      static_cast<std::size_t>(std::min<std::uint64_t>(info.cwnd * 1000 / rtt_us, kMostBytes));
  return std::clamp(per_millisecond, std::min(10 * packet_bytes(), kMostBytes), kMostBytes);
}

bool Connection::fill_alive(PacketBatch& batch, Time now) {
  const std::size_t begin = batch.bytes();
  const ngtcp2_conn_info before = library_info();
  const std::size_t quantum = quantum_bytes(before);
  bool more = true;
  PacketInProgress packet;
  ngtcp2_path_storage_zero(&packet.path);
  packet.now = now;
  packet.path_bytes = path_bytes();
  if (path_mtu_.watching()) path_mtu_.check(now, probe_timeout());
  const CurrentConnection owner(*this);

  while (batch.bytes() - begin < quantum) {
    if (packet.room.empty() && !begin_packet(packet, batch)) break;
    Stream* stream = next_to_send();
    std::optional<OutgoingDatagram> datagram;
    const bool urgent = stream != nullptr && stream->is_urgent();
    if (datagrams_due_ && !packet.risky && !urgent) datagram = next_datagram(packet, stream != nullptr);
    const ngtcp2_ssize written =
        datagram ? write_datagram(packet, *datagram, stream != nullptr) : write_stream(packet, stream);
    if (written > 0) {
      packet_made(packet, batch, static_cast<std::size_t>(written));
      continue;
    }
    if (written == NGTCP2_ERR_WRITE_MORE) continue;
    if (written == 0) {  // congestion, pacing or nothing to send
      // Or no credit for streams, which datagrams need not.
      if (!datagram && stream != nullptr && datagrams_due_ && ngtcp2_conn_get_max_data_left(conn_.get()) == 0) {
        connection_blocked_ = true;
        continue;
      }
      more = false;
      break;
    }
    if (datagram || stream == nullptr || !set_aside(*stream, static_cast<int>(written))) {
      fail_with(static_cast<int>(written), now);
      return false;
    }
  }
  const ngtcp2_conn_info after = library_info();
  if (batch.bytes() != begin) {
    ngtcp2_conn_update_pkt_tx_time(conn_.get(), tstamp(now));
    note_question(packet, before.bytes_in_flight, after);
  }
  update_send_limits(after);
  return more;
}

bool Connection::begin_packet(PacketInProgress& packet, PacketBatch& batch) {
  packet.room = batch.room();
  if (packet.room.empty()) return false;
  packet.bytes_max = packet.path_bytes;
  // Without a limit ngtcp2 has room for probes of its own, which are larger than other packets.
  packet.risky = false;
  if (path_mtu_.limited(packet.path_bytes)) {
    const std::size_t wanted = path_mtu_.next_packet_bytes(packet.path_bytes, packet.now);
    packet.bytes_max = path_mtu_.packet_bytes(packet.path_bytes);
    if (wanted > packet.bytes_max) {
      const Stream* const stream = next_to_send();
      packet.risky = stream != nullptr && stream->unsent_bytes() >= wanted;
      if (packet.risky) {
        packet.bytes_max = wanted;
      } else if (datagrams_due_) {
        // Datagrams alone would have to be risked themselves, and are not sent again.
        if (filler_.want(wanted, packet.now)) host_.touch(*this);
      }
    }
    packet.room = packet.room.first(packet.bytes_max);
  }
  return true;
}

void Connection::packet_made(PacketInProgress& packet, PacketBatch& batch, std::size_t bytes) {
  batch.add(from_ngtcp2(packet.path.path.local), from_ngtcp2(packet.path.path.remote), bytes,
            static_cast<io::Ecn>(packet.info.ecn));
  if (packet.risky) filler_.packet_tried();
  if (bytes > packet.path_bytes) packet.probe_bytes += bytes;
  // One packet is watched at a time: the risky one that is about to come.
  if (handshake_completed_ && !filler_.awaited(packet.now)) {
    path_mtu_.packet_sent(packet_number_, bytes, packet.path_bytes, packet.now);
  }
  sent_since_unreachable_ = true;
  packet.room = {};
  packet.datagram_bytes = 0;
}

ngtcp2_ssize Connection::write_stream(PacketInProgress& packet, Stream* stream) {
  std::array<ConstBytes, 8> views;
  std::array<ngtcp2_vec, 8> vectors;
  std::uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
  std::size_t count = 0;
  std::size_t offered = 0;
  bool fin = false;
  if (stream != nullptr) {
    count = stream->unsent(views);
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i] = {const_cast<std::uint8_t*>(as_octets(views[i])), views[i].size()};
      offered += views[i].size();
    }
    fin = stream->fin_queued() && offered == stream->unsent_bytes();
    flags = NGTCP2_WRITE_STREAM_FLAG_MORE | (fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0U);
  }
  ngtcp2_ssize accepted = -1;
  const ngtcp2_ssize written = guarded([&] {
    return ngtcp2_conn_writev_stream(conn_.get(), &packet.path.path, &packet.info, as_octets(packet.room),
                                     packet.room.size(), &accepted, flags, stream != nullptr ? stream->id() : -1,
                                     vectors.data(), count, tstamp(packet.now));
  });
  if (stream != nullptr && accepted >= 0) {
    mark_sent(*stream, static_cast<std::size_t>(accepted), fin && static_cast<std::size_t>(accepted) == offered);
  }
  return written;
}

bool Connection::set_aside(Stream& stream, int ngtcp2_error) {
  switch (ngtcp2_error) {
    case NGTCP2_ERR_STREAM_DATA_BLOCKED:
      if (ngtcp2_conn_get_max_data_left(conn_.get()) == 0) {
        // The connection's credit is spent: its growth is not reported, so every stream stays in the queue, and this pass
        // sends without streams.
        connection_blocked_ = true;
      } else {
        stream.block();
        schedule_.remove(stream);
      }
      return true;
    case NGTCP2_ERR_STREAM_SHUT_WR:
    case NGTCP2_ERR_STREAM_NOT_FOUND:
      schedule_.remove(stream);
      stream.stopped_by_peer();
      return true;
    default:
      return false;
  }
}

Stream* Connection::next_to_send() noexcept {
  if (connection_blocked_) {
    if (ngtcp2_conn_get_max_data_left(conn_.get()) == 0) return nullptr;
    connection_blocked_ = false;
  }
  return schedule_.next();
}

void Connection::mark_sent(Stream& stream, std::size_t accepted, bool with_fin) {
  stream.sent(accepted, with_fin);
  schedule_.sent(stream, accepted);
  share_.streams_sent(accepted);
  if (!stream.has_unsent()) schedule_.remove(stream);
  stream.notify_room();
}

void Connection::note_question(const PacketInProgress& made, std::uint64_t in_flight_before,
                               const ngtcp2_conn_info& info) {
  if (!handshake_completed_ || silence_.is_asked()) return;
  // Those that acknowledge and do nothing else are not counted as in flight. A probe for the path's MTU may be lost on a healthy
  // path, and stays in flight until something later is acknowledged: so the question is what was sent, not what is in flight.
  if (info.bytes_in_flight > in_flight_before + made.probe_bytes) silence_.asked(made.now, probe_timeout());
}

void Connection::update_send_limits(const ngtcp2_conn_info& info) {
  unsent_bytes_max_ = static_cast<std::size_t>(
      std::clamp<std::uint64_t>(info.cwnd, limits::kStreamUnsentBytesMin, limits::kStreamUnsentBytesMax));
  // On a slow path one turn of every stream takes long, and a new stream may have to wait for the rest of one.
  const std::uint64_t rtt_us = std::max<std::uint64_t>(info.smoothed_rtt / 1000, 1);
  const std::uint64_t in_turn_time = info.cwnd * limits::kStreamTurnTime.count() / rtt_us;
  schedule_.set_turn_bytes(std::clamp<std::size_t>(in_turn_time, std::min(packet_bytes(), limits::kStreamTurnBytesMax),
                                                   limits::kStreamTurnBytesMax));
}

void Connection::fill_close(PacketBatch& batch) {
  close_packet_due_ = false;
  const MutableBytes room = batch.room();
  if (room.size() < close_packet_.size() || close_packet_.empty()) return;
  copy_bytes(close_packet_, room);
  batch.add(local_, remote_, close_packet_.size(), io::Ecn::not_ect);
}

}  // namespace qmux::quic
