// SPDX-License-Identifier: MIT
#include "net/udp_inbox.h"

#include <algorithm>

namespace qmux::net {
namespace {

/// The longest run that the kernel hands over: an IP packet's worth.
constexpr std::size_t kRunBytesMax = std::size_t{64} * 1024;

}  // namespace

UdpInbox::UdpInbox() : bytes_(std::make_unique_for_overwrite<std::byte[]>(kRunsMax * kRunBytesMax)) {
  for (std::size_t i = 0; i < kRunsMax; ++i) {
    vectors_[i] = {bytes_.get() + i * kRunBytesMax, kRunBytesMax};
    messages_[i].msg_hdr.msg_iov = &vectors_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_name = &senders_[i];
    messages_[i].msg_hdr.msg_control = controls_[i].bytes.data();
  }
}

int UdpInbox::receive(int fd, std::size_t count) noexcept {
  // The kernel overwrites these in every call.
  for (std::size_t i = 0; i < count; ++i) {
    messages_[i].msg_hdr.msg_namelen = sizeof senders_[i];
    messages_[i].msg_hdr.msg_controllen = sizeof controls_[i].bytes;
  }
  return ::recvmmsg(fd, messages_.data(), static_cast<unsigned>(count), 0, nullptr);
}

io::PacketRun UdpInbox::run(std::size_t index, const Address& local, std::uint32_t& overflow_count) noexcept {
  msghdr& message = messages_[index].msg_hdr;
  io::PacketRun run;
  run.local = local;
  run.remote = Address(reinterpret_cast<const sockaddr*>(&senders_[index]), message.msg_namelen);
  run.bytes = ConstBytes(bytes_.get() + index * kRunBytesMax, messages_[index].msg_len);
  run.segment_bytes = std::max<std::size_t>(run.bytes.size(), 1);
  read_control(message, run, overflow_count);
  return run;
}

}  // namespace qmux::net
