// SPDX-License-Identifier: MIT
//
// Keeps the datagrams that a server sends before its answer to the registration has been read. Datagrams are delivered as they
// are decrypted, and may arrive in the same packet as the answer.
//
// One a connection, until its UDP begins; one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "quic/connection.h"
#include "quic/datagrams.h"
#include "tunnel/limits.h"
#include "tunnel/udp/udp_counters.h"

namespace qmux::tunnel {

class EarlyDatagrams final : private quic::DatagramHost {
 public:
  using Datagrams = std::vector<std::vector<std::byte>>;

  EarlyDatagrams(quic::Connection& connection, UdpCounters& counters) : connection_(connection), counters_(counters) {
    connection_.set_datagram_host(this);
  }
  EarlyDatagrams(const EarlyDatagrams&) = delete;
  EarlyDatagrams& operator=(const EarlyDatagrams&) = delete;
  ~EarlyDatagrams() {
    connection_.set_datagram_host(nullptr);
    // The connection has ended before its UDP began.
    counters_.datagrams_received += datagrams_.size();
    counters_.drop(UdpDrop::no_socket, datagrams_.size());
  }

  /// The datagrams received, in order. Those over limits::kUdpEarlyBytesMax were dropped.
  [[nodiscard]] Datagrams take() noexcept { return std::exchange(datagrams_, {}); }

 private:
  void datagram_received(ConstBytes data) override {
    if (held_bytes_ + data.size() > limits::kUdpEarlyBytesMax) {
      ++counters_.datagrams_received;
      return counters_.drop(UdpDrop::no_socket);
    }
    held_bytes_ += data.size() + sizeof datagrams_.front();
    datagrams_.emplace_back(data.begin(), data.end());
  }
  [[nodiscard]] std::optional<quic::OutgoingDatagram> next_datagram(std::size_t /*room*/, Time /*now*/) override {
    return std::nullopt;
  }
  void datagram_sent() override {}
  [[nodiscard]] std::size_t flows_waiting() const override { return 0; }

  quic::Connection& connection_;
  UdpCounters& counters_;
  Datagrams datagrams_;
  std::size_t held_bytes_ = 0;
};

}  // namespace qmux::tunnel
