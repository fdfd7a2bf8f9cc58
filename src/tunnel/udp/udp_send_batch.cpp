// SPDX-License-Identifier: MIT
#include "tunnel/udp/udp_send_batch.h"

namespace qmux::tunnel {

void UdpSendBatch::add(io::DatagramSocket& socket, const Address& local, const Address& remote,
                       std::span<const ConstBytes> payload) {
  if (socket_ != &socket) {
    flush();
    socket_ = &socket;
  }
  MutableBytes room = batch_.room();
  if (room.empty()) {
    flush();
    socket_ = &socket;
    room = batch_.room();
  }
  std::size_t bytes = 0;
  for (const ConstBytes& piece : payload) {
    copy_bytes(piece, room.subspan(bytes));
    bytes += piece.size();
  }
  batch_.add(local, remote, bytes, io::Ecn::not_ect);
  ++payloads_;
}

void UdpSendBatch::flush() {
  if (socket_ == nullptr) return;
  const std::size_t refused = socket_->send_all(batch_.runs());
  counters_.payloads_delivered += payloads_ - refused;
  counters_.drop(UdpDrop::socket_refused, refused);
  batch_.clear();
  payloads_ = 0;
  socket_ = nullptr;
}

void UdpSendBatch::forget(const io::DatagramSocket& socket) {
  if (socket_ == &socket) flush();
}

}  // namespace qmux::tunnel
