// SPDX-License-Identifier: MIT
#include "quic/closing_connections.h"

#include <bit>
#include <iterator>
#include <utility>

#include "quic/limits.h"

namespace qmux::quic {

void ClosingConnections::add(ConnectionRemains remains) {
  if (remains.until <= loop_.now()) return;
  if (entries_.size() >= limits::kClosingConnectionsMax) {
    ++forgotten_;
    forget(entries_.begin());
  }
  entries_.emplace_back(*this, std::move(remains));
  Entry& entry = entries_.back();
  entry.self = std::prev(entries_.end());
  for (const ngtcp2_cid& id : entry.remains.ids) by_id_.insert(id, entry);
  entry.end.set(entry.remains.until);
}

bool ClosingConnections::take(const std::uint8_t* id, std::size_t length, std::size_t bytes,
                              std::optional<io::PacketRun>& answer) {
  Entry* const entry = by_id_.find(id, length);
  if (entry == nullptr) return false;
  const std::vector<std::byte>& packet = entry->remains.close_packet;
  // RFC 9000 section 10.2.1: a decreasing share of the packets that still come is answered, and with no more than three times
  // their bytes, since their source may be forged.
  ++entry->packets;
  if (!packet.empty() && entry->packets <= limits::kClosingAnswersMax && std::has_single_bit(entry->packets) &&
      packet.size() <= 3 * bytes) {
    answer = io::PacketRun{.local = entry->remains.local,
                           .remote = entry->remains.remote,
                           .bytes = packet,
                           .segment_bytes = packet.size(),
                           .ecn = io::Ecn::not_ect};
  }
  return true;
}

void ClosingConnections::forget(std::list<Entry>::iterator entry) {
  for (const ngtcp2_cid& id : entry->remains.ids) by_id_.erase(id);
  entries_.erase(entry);
}

}  // namespace qmux::quic
