// SPDX-License-Identifier: MIT
#include "net/udp_outbox.h"

namespace qmux::net {

ConstBytes RunCursor::bytes() const noexcept { return whole() ? run().bytes : run().packet(packet_); }

std::size_t RunCursor::packet_count() const noexcept { return whole() ? run().packet_count() : 1; }

std::size_t RunCursor::packets_left() const noexcept {
  std::size_t count = 0;
  for (const io::PacketRun& each : rest_) count += each.packet_count();
  return count - packet_;
}

void RunCursor::next() noexcept {
  if (!whole() && ++packet_ < run().packet_count()) return;
  rest_ = rest_.subspan(1);
  packet_ = 0;
  split_ = false;
}

void RunCursor::resume(std::size_t packets_done) noexcept {
  packet_ = packets_done;
  split_ = packets_done > 0;
}

void UdpOutbox::fill(RunCursor at) noexcept {
  for (count_ = 0; count_ < kMessagesMax && !at.at_end(); at.next()) add(at.run(), at.bytes());
}

void UdpOutbox::add(const io::PacketRun& run, ConstBytes bytes) noexcept {
  iovec& vector = vectors_[count_];
  vector = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  messages_[count_] = {};
  msghdr& message = messages_[count_].msg_hdr;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (!remote_.specified()) {
    message.msg_name = const_cast<sockaddr*>(run.remote.raw());
    message.msg_namelen = run.remote.raw_length();
  }
  const std::size_t segment_bytes = bytes.size() > run.segment_bytes ? run.segment_bytes : 0;
  write_control(message, controls_[count_], {segment_bytes, run.ecn, local_varies_ ? run.local : Address()},
                remote_.specified() ? remote_ : run.remote);
  ++count_;
}

}  // namespace qmux::net
