// SPDX-License-Identifier: MIT
#include "net/udp_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/socket_options.h"
#include "net/udp_control.h"
#include "net/udp_open.h"

namespace qmux::net {
namespace {

constexpr std::size_t kReceiveBatch = 8;
/// The longest run that the kernel hands over: an IP packet's worth.
constexpr std::size_t kRunBytesMax = 64 * 1024;
constexpr std::size_t kSegmentsMax = 64;
/// Errors of earlier packets (ICMP, on a connected socket) stand before what has arrived; more than a few
/// never do.
constexpr int kStaleErrorsMax = 4;

msghdr message_to(const Address& remote, iovec& vector, bool connected) noexcept {
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (!connected) {
    message.msg_name = const_cast<sockaddr*>(remote.raw());
    message.msg_namelen = remote.raw_length();
  }
  return message;
}

iovec vector_of(ConstBytes bytes) noexcept { return {const_cast<std::byte*>(bytes.data()), bytes.size()}; }

}  // namespace

/// Memory to receive into. Pages of it are backed only once something that long has arrived.
struct UdpSocket::Inbox {
  std::unique_ptr<std::byte[]> bytes = std::make_unique_for_overwrite<std::byte[]>(kReceiveBatch * kRunBytesMax);
  std::array<mmsghdr, kReceiveBatch> messages{};
  std::array<iovec, kReceiveBatch> vectors;
  std::array<sockaddr_in6, kReceiveBatch> senders;  // IPv4's is smaller
  std::array<ControlBuffer, kReceiveBatch> controls;

  Inbox() {
    for (std::size_t i = 0; i < kReceiveBatch; ++i) {
      vectors[i] = {bytes.get() + i * kRunBytesMax, kRunBytesMax};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_name = &senders[i];
      messages[i].msg_hdr.msg_control = controls[i].bytes.data();
    }
  }

  /// What the kernel overwrites in every call.
  void prepare(std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      messages[i].msg_hdr.msg_namelen = sizeof senders[i];
      messages[i].msg_hdr.msg_controllen = sizeof controls[i].bytes;
    }
  }

  [[nodiscard]] io::PacketRun run(std::size_t i, const Address& local) noexcept {
    io::PacketRun run;
    run.local = local;
    run.remote = Address(reinterpret_cast<const sockaddr*>(&senders[i]), messages[i].msg_hdr.msg_namelen);
    run.bytes = ConstBytes(bytes.get() + i * kRunBytesMax, messages[i].msg_len);
    run.segment_bytes = std::max<std::size_t>(run.bytes.size(), 1);
    read_control(messages[i].msg_hdr, run);
    return run;
  }
};

UdpSocket::UdpSocket(Reactor& reactor, Observer& observer) : descriptor_(reactor, *this), observer_(observer) {}

UdpSocket::~UdpSocket() = default;

Result<std::unique_ptr<io::DatagramSocket>> UdpSocket::open(Reactor& reactor, const io::DatagramOptions& options,
                                                            Observer& observer) {
  auto fd = open_udp(options);
  if (!fd) return std::unexpected(fd.error());
  std::unique_ptr<UdpSocket> socket(new UdpSocket(reactor, observer));
  socket->local_ = bound_address(fd->get());
  socket->remote_ = options.remote;
  if (auto opened = socket->descriptor_.open(fd->release()); !opened) return std::unexpected(opened.error());
  socket->descriptor_.arm(Readiness::read);
  return socket;
}

void UdpSocket::ready(Readiness readiness) {
  if (readiness == Readiness::write) return observer_.datagrams_writable();
  drained_ = false;
  observer_.datagrams_readable();
}

std::size_t UdpSocket::receive(std::span<io::PacketRun> out) {
  if (drained_) {
    descriptor_.arm(Readiness::read);
    return 0;
  }
  if (!inbox_) inbox_ = std::make_unique<Inbox>();
  const std::size_t batch = std::min(out.size(), kReceiveBatch);
  inbox_->prepare(batch);
  int count = -1;
  for (int tries = 0; count < 0 && tries <= kStaleErrorsMax; ++tries) {
    count = ::recvmmsg(descriptor_.fd(), inbox_->messages.data(), static_cast<unsigned>(batch), 0, nullptr);
    if (count < 0 && errno == EAGAIN) break;
  }
  const std::size_t received = count > 0 ? static_cast<std::size_t>(count) : 0;
  for (std::size_t i = 0; i < received; ++i) out[i] = inbox_->run(i, local_);
  if (received < batch) drained_ = true;
  if (received == 0) descriptor_.arm(Readiness::read);
  return received;
}

io::SendStatus UdpSocket::send(const io::PacketRun& run) {
  const bool one_packet = run.bytes.size() <= run.segment_bytes;
  if (!one_packet && !segmentation_) return send_one_by_one(run);

  iovec vector = vector_of(run.bytes);
  msghdr message = message_to(run.remote, vector, remote_.specified());
  ControlBuffer control;
  const Address& source = local_.is_wildcard() ? run.local : Address();
  write_control(message, control, {one_packet ? 0 : run.segment_bytes, run.ecn, source}, run.remote);
  ssize_t count = 0;
  do {
    count = ::sendmsg(descriptor_.fd(), &message, MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count >= 0) return io::SendStatus::sent;
  if (one_packet) return failed(errno);
  // EIO: the device does not checksum, so it cannot segment. EINVAL: segments longer than the MTU, on some
  // kernels; one by one they say so.
  if (errno == EIO) segmentation_ = false;
  if (errno == EIO || errno == EINVAL) return send_one_by_one(run);
  return failed(errno);
}

io::SendStatus UdpSocket::send_one_by_one(const io::PacketRun& run) {
  const bool resumed = interrupted_.run.data() == run.bytes.data() && interrupted_.run.size() == run.bytes.size();
  ConstBytes rest = run.bytes.subspan(resumed ? interrupted_.sent_bytes : 0);
  interrupted_ = {};

  ControlBuffer control;
  iovec unused{};
  msghdr common = message_to(run.remote, unused, remote_.specified());
  write_control(common, control, {0, run.ecn, local_.is_wildcard() ? run.local : Address()}, run.remote);
  while (!rest.empty()) {
    std::array<mmsghdr, kSegmentsMax> messages;
    std::array<iovec, kSegmentsMax> vectors;
    unsigned packets = 0;
    for (ConstBytes left = rest; !left.empty() && packets < kSegmentsMax; ++packets) {
      const std::size_t length = std::min(run.segment_bytes, left.size());
      vectors[packets] = vector_of(left.first(length));
      messages[packets] = {common, 0};
      messages[packets].msg_hdr.msg_iov = &vectors[packets];
      left = left.subspan(length);
    }
    const int sent = ::sendmmsg(descriptor_.fd(), messages.data(), packets, MSG_NOSIGNAL);
    if (sent > 0) {
      rest = rest.subspan(std::min(rest.size(), static_cast<std::size_t>(sent) * run.segment_bytes));
      continue;
    }
    if (errno == EINTR) continue;
    const io::SendStatus status = failed(errno);
    if (status == io::SendStatus::would_block) interrupted_ = {run.bytes, run.bytes.size() - rest.size()};
    if (status != io::SendStatus::sent) return status;
    rest = rest.subspan(std::min(rest.size(), run.segment_bytes));  // that packet is lost
  }
  return io::SendStatus::sent;
}

io::SendStatus UdpSocket::failed(int error) {
  switch (error) {
    case EAGAIN:
      descriptor_.arm(Readiness::write);
      return io::SendStatus::would_block;
    case EMSGSIZE:
      return io::SendStatus::too_large;
    default:
      // No route, prohibited, out of memory, or an ICMP error about an earlier packet: lost, as packets may
      // be.
      return io::SendStatus::sent;
  }
}

}  // namespace qmux::net
