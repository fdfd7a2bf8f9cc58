// SPDX-License-Identifier: MIT
#include "net/udp_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "net/socket_options.h"
#include "net/udp_errors.h"
#include "net/udp_open.h"

namespace qmux::net {
namespace {

/// Errors of earlier packets (ICMP, on a connected socket) are reported before received packets; never more than a few.
constexpr int kStaleErrorsMax = 4;
/// Taken off the error queue at a time; what is left there raises another error.
constexpr int kQueuedErrorsMax = 64;

/// EIO: the device does not checksum, so it cannot segment. The others: segments longer than the MTU; one by one
/// they are fragmented, or refused.
bool is_about_segmentation(int error) noexcept { return error == EIO || error == EINVAL || error == EMSGSIZE; }

}  // namespace

UdpSocket::UdpSocket(Reactor& reactor, UdpInbox& inbox, io::DatagramSocket::Events& events)
    : descriptor_(reactor, *this), inbox_(inbox), events_(events) {}

Result<std::unique_ptr<io::DatagramSocket>> UdpSocket::open(Reactor& reactor, UdpInbox& inbox,
                                                            const io::DatagramOptions& options,
                                                            io::DatagramSocket::Events& events) {
  auto fd = open_udp(options);
  if (!fd) return std::unexpected(fd.error());
  std::unique_ptr<UdpSocket> socket(new UdpSocket(reactor, inbox, events));
  socket->local_ = bound_address(fd->get());
  socket->remote_ = options.remote;
  if (auto opened = socket->descriptor_.open(fd->release()); !opened) return std::unexpected(opened.error());
  socket->descriptor_.arm(Readiness::read);
  return socket;
}

void UdpSocket::ready(Readiness readiness) {
  if (readiness == Readiness::write) return events_.datagrams_writable();
  drained_ = false;
  events_.datagrams_readable();
}

std::size_t UdpSocket::receive(std::span<io::PacketRun> out) {
  if (drained_) {
    descriptor_.arm(Readiness::read);
    return 0;
  }
  const std::size_t batch = std::min(out.size(), UdpInbox::kRunsMax);
  int count = -1;
  for (int tries = 0; count < 0 && tries <= kStaleErrorsMax; ++tries) {
    count = inbox_.receive(descriptor_.fd(), batch);
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) note(errno);
  }
  const std::size_t received = count > 0 ? static_cast<std::size_t>(count) : 0;
  std::uint32_t overflow_count = overflow_count_;
  for (std::size_t i = 0; i < received; ++i) out[i] = inbox_.run(i, local_, overflow_count);
  overflowed_ += overflow_count - overflow_count_;
  overflow_count_ = overflow_count;
  if (received < batch) drained_ = true;
  if (received == 0) descriptor_.arm(Readiness::read);
  return received;
}

io::SendStatus UdpSocket::send(const io::PacketRun& run) {
  RunCursor at({&run, 1}, segmentation_);
  const bool resumed = interrupted_.run.data() == run.bytes.data() && interrupted_.run.size() == run.bytes.size();
  if (resumed) at.resume(interrupted_.packets_done);
  interrupted_ = {};
  while (const int error = send_from(at)) {
    if (error == EAGAIN) {
      interrupted_ = {run.bytes, at.packets_done()};
      descriptor_.arm(Readiness::write);
      return io::SendStatus::would_block;
    }
    if (error == EMSGSIZE) return io::SendStatus::too_large;
    refused_ += at.packet_count();
    at.next();  // no route, prohibited, out of memory: lost, as packets may be
  }
  return io::SendStatus::sent;
}

std::size_t UdpSocket::send_all(std::span<const io::PacketRun> runs) {
  std::size_t lost = 0;
  RunCursor at(runs, segmentation_);
  while (const int error = send_from(at)) {
    if (error == EAGAIN) return lost + at.packets_left();
    lost += at.packet_count();
    at.next();
  }
  return lost;
}

int UdpSocket::send_from(RunCursor& at) {
  UdpOutbox outbox(local_, remote_);
  bool tried = false;
  while (!at.at_end()) {
    outbox.fill(at);
    const std::span<mmsghdr> messages = outbox.messages();
    const int sent =
        ::sendmmsg(descriptor_.fd(), messages.data(), static_cast<unsigned>(messages.size()), MSG_NOSIGNAL);
    if (sent > 0) {
      for (int i = 0; i < sent; ++i) at.next();
      tried = false;
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EAGAIN) return error;
    note(error);
    // It may be an earlier packet's error, which is cleared once reported.
    if (remote_.specified() && !std::exchange(tried, true)) continue;
    if (at.packet_count() == 1 || !is_about_segmentation(error)) return error;
    if (error == EIO) {
      segmentation_ = false;
      at.split_all();
    } else {
      at.split_run();
    }
  }
  return 0;
}

void UdpSocket::note(int error) noexcept {
  io::Unreachable why = unreachable_by_errno(error);
  if (remote_.specified()) {
    // The queue gives more detail than the error alone. It is emptied, because each entry in it uses the receive buffer.
    for (int count = 0; count < kQueuedErrorsMax; ++count) {
      const auto queued = take_queued_error(descriptor_.fd());
      if (!queued) break;
      if (*queued != io::Unreachable::none) why = *queued;
    }
  }
  if (why != io::Unreachable::none) unreachable_ = why;
}

}  // namespace qmux::net
