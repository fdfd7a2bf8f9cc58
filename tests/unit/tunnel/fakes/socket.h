// SPDX-License-Identifier: MIT
//
// A TCP socket whose far end is the test: FarEnd says what arrives and how much is taken, and outlives the socket.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/io/tcp_socket.h"

namespace qmux::testing {

struct FarEnd {
  // What the test decides.
  std::string arriving;     ///< not read yet
  bool fin_sent = false;    ///< after `arriving`
  bool reset_sent = false;  ///< after `arriving` and FIN; seen by the next write, by a read behind that, and reported
  bool connecting = false;
  std::optional<std::string> connect_error;
  std::size_t room_bytes = std::numeric_limits<std::size_t>::max();       ///< what it takes before it blocks
  std::size_t write_bytes_max = std::numeric_limits<std::size_t>::max();  ///< what one call takes

  std::size_t unacknowledged_bytes = 0;  ///< of what it has received

  // What it saw.
  std::string received;
  bool fin_received = false;
  bool aborted = false;
  bool closed = false;
  std::size_t read_calls = 0;
  std::size_t write_calls = 0;
  std::size_t watch_calls = 0;

  io::TcpSocketEvents* observer = nullptr;
  io::Interest interest = io::Interest::none;
  bool end_reported = false;
  bool reset_reported = false;

  /// It saw an orderly end, not a reset.
  [[nodiscard]] bool closed_in_order() const { return closed && !aborted && fin_received && end_reported; }

  /// Tells the observer of one thing that is ready; false when nothing is.
  bool notify_one() {
    if (observer == nullptr || closed) return false;
    if (reset_sent && !std::exchange(reset_reported, true)) {
      observer->socket_reset();
      return true;
    }
    if (io::has(interest, io::Interest::read) && (!arriving.empty() || fin_sent || reset_sent)) {
      spend(io::Interest::read);
      observer->socket_readable();
      return true;
    }
    if (io::has(interest, io::Interest::write) && room_bytes > 0 && !connecting) {
      spend(io::Interest::write);
      observer->socket_writable();
      return true;
    }
    return false;
  }

 private:
  void spend(io::Interest flag) {
    interest = static_cast<io::Interest>(static_cast<unsigned>(interest) & ~static_cast<unsigned>(flag));
  }
};

class FakeSocket final : public io::TcpSocket {
 public:
  explicit FakeSocket(FarEnd& far) : far_(far) {}
  ~FakeSocket() override { far_.closed = true; }

  io::IoResult read(std::span<const MutableBytes> into) override {
    CHECK(!far_.aborted && !far_.end_reported);
    ++far_.read_calls;
    if (far_.arriving.empty()) {
      if (far_.fin_sent) {
        far_.end_reported = true;
        return {io::IoStatus::end};
      }
      return {far_.reset_sent ? io::IoStatus::reset : io::IoStatus::would_block};
    }
    std::size_t count = 0;
    for (const MutableBytes piece : into) {
      const std::size_t taken = std::min(piece.size(), far_.arriving.size() - count);
      std::memcpy(piece.data(), far_.arriving.data() + count, taken);
      count += taken;
    }
    far_.arriving.erase(0, count);
    return {io::IoStatus::done, count};
  }

  io::IoResult write(std::span<const ConstBytes> from) override {
    CHECK(!far_.aborted && !far_.fin_received);
    ++far_.write_calls;
    if (far_.reset_sent) return {io::IoStatus::reset};
    if (far_.room_bytes == 0) return {io::IoStatus::would_block};
    std::size_t count = 0;
    for (const ConstBytes piece : from) {
      const std::size_t taken = std::min({piece.size(), far_.room_bytes, far_.write_bytes_max - count});
      far_.received.append(as_text(piece.first(taken)));
      far_.room_bytes -= taken;
      count += taken;
    }
    return {io::IoStatus::done, count};
  }

  void shutdown_write() override {
    CHECK(!far_.aborted && !far_.fin_received);
    far_.fin_received = true;
  }
  void abort() override { far_.aborted = true; }
  void watch(io::Interest interest, io::TcpSocketEvents* observer) override {
    ++far_.watch_calls;
    far_.interest = interest;
    far_.observer = observer;
  }
  void keep_alive(Duration /*idle*/) override {}
  [[nodiscard]] std::size_t unacknowledged_bytes() const override { return far_.unacknowledged_bytes; }
  std::optional<std::string> connect_error() override { return far_.connect_error; }
  [[nodiscard]] Address local_address() const override { return {}; }
  [[nodiscard]] Address remote_address() const override { return {}; }
  io::TcpHandle detach() override { return {}; }

 private:
  FarEnd& far_;
};

}  // namespace qmux::testing
