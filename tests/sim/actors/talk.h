// SPDX-License-Identifier: MIT
//
// What one side of a tunnel (a visitor, or a local service) is to do with its TCP connection, and what has happened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace qmux::sim {

struct TalkScript {
  std::uint64_t send_bytes = 0;
  bool echo = false;              ///< sends back whatever it receives, instead of bytes of its own
  bool send_after_fin = false;    ///< answers only once the peer has finished asking
  bool finish_after_fin = false;  ///< keeps its direction open until the peer has finished
  Duration think{};               ///< before its first byte
  std::size_t write_bytes_max = std::size_t{64} * 1024;
  Duration write_pause{};  ///< between two writes
  std::size_t read_bytes_max = std::size_t{64} * 1024;
  Duration read_pause{};                             ///< between two reads
  std::optional<std::uint64_t> stall_after_bytes{};  ///< after these, it reads nothing for the time of `stall`
  Duration stall{};
  std::optional<std::uint64_t> reset_after_bytes{};  ///< sent and received together: then it resets the connection
  /// Once all that it sends has been acknowledged it closes, without a FIN and whatever is there to be read: with a reset.
  bool close_after_sending = false;
  /// Reads on to the end of what came before a reset; otherwise it ends at once. Only where kernels lose nothing to a reset
  /// (TcpProperties): then all that its peer has acknowledged must have come.
  bool read_after_reset = false;
};

struct TalkRecord {
  bool begun = false;  ///< a connection was wanted (visitor) or arrived (service)
  bool over = false;   ///< and has ended, in whatever way
  Time begun_at{};
  Time over_at{};
  std::optional<std::string> connect_error{};  ///< visitor only
  std::uint64_t sent_bytes = 0;                ///< taken by the socket
  std::uint64_t received_bytes = 0;
  std::optional<Time> first_byte_at{};      ///< received, of the content
  std::optional<std::uint64_t> wrong_at{};  ///< offset of a read that was not what the peer sends there
  bool sent_fin = false;
  bool received_fin = false;
  bool sent_reset = false;
  std::uint64_t acknowledged_bytes = 0;  ///< of `sent_bytes`, by TCP, when it sent its reset
  bool received_reset = false;

  [[nodiscard]] bool complete() const noexcept { return sent_fin && received_fin; }
};

}  // namespace qmux::sim
