// SPDX-License-Identifier: MIT
//
// Recognizes the trailer of a Go client. When the local service has closed, or could not be dialled, that client appends a framed
// ConnClose to the raw bytes of the tunnel stream and ends the stream (docs/PROTOCOL.md). The visitor must not get the trailer.
//
// The trailer is one ConnClose message that carries the stream's own ConnID, is at most
// limits::kConnCloseBytesMax long and ends where the stream ends; its JSON names ConnID first and Reason
// second, as Go writes it. Everything else is data.
//
// Owns no bytes and keeps no state: it judges the readable bytes where the stream holds them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace qmux::wire {

class ConnCloseTrailer {
 public:
  enum class Held : std::uint8_t {
    nothing,
    /// Only the beginning of a header, with which data may also end by chance. Unless more arrives within
    /// limits::kTrailerHoldTimeMax, deliver it as data.
    possible,
    /// A header and JSON that fits. Wait for more, without a limit on the time.
    likely,
    /// FIN has arrived and this is the trailer: drop it.
    trailer,
  };

  struct Verdict {
    std::size_t deliver = 0;  ///< leading bytes that are data, to be passed on now
    std::size_t hold = 0;     ///< the rest
    Held held = Held::nothing;
    bool dial_failed = false;  ///< with trailer: the client never reached the local service

    bool operator==(const Verdict&) const = default;
  };

  explicit ConnCloseTrailer(std::uint64_t conn_id) noexcept;

  /// `readable`: the bytes not yet consumed, in order. `at_fin`: the stream ends after the last of them;
  /// otherwise it may be any leading part of them. A byte once judged to be data stays data.
  [[nodiscard]] Verdict judge(std::span<const ConstBytes> readable, bool at_fin) const;

 private:
  class Cursor;

  [[nodiscard]] std::string_view id_text() const noexcept { return {id_.data(), id_size_}; }
  [[nodiscard]] Held match(Cursor at, std::size_t size, bool at_fin, bool& dial_failed) const;
  [[nodiscard]] bool match_json_start(Cursor& at) const;
  [[nodiscard]] bool is_conn_close(Cursor payload, bool& dial_failed) const;

  std::uint64_t conn_id_;
  std::array<char, 20> id_{};  // in decimal
  std::size_t id_size_;
};

}  // namespace qmux::wire
