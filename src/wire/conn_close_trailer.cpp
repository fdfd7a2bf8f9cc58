// SPDX-License-Identifier: MIT
#include "wire/conn_close_trailer.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <variant>
#include <vector>

#include "wire/limits.h"
#include "wire/messages.h"

namespace qmux::wire {
namespace {

constexpr std::byte kType = static_cast<std::byte>(MessageType::conn_close);

/// How the Go client begins the reason when it could not dial.
constexpr std::string_view kDialFailed = "dial failed";

constexpr bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

/// A position in bytes that lie in pieces.
class ConnCloseTrailer::Cursor {
 public:
  explicit Cursor(std::span<const ConstBytes> pieces) : pieces_(pieces) { settle(); }

  [[nodiscard]] bool at_end() const noexcept { return pieces_.empty(); }
  [[nodiscard]] std::byte operator*() const noexcept { return pieces_.front()[offset_]; }

  /// Advances by `count` bytes, or to the end. Returns how many bytes that was.
  std::size_t skip(std::size_t count) noexcept {
    std::size_t skipped = 0;
    while (!pieces_.empty() && skipped < count) {
      const std::size_t step = std::min(count - skipped, rest().size());
      offset_ += step;
      skipped += step;
      settle();
    }
    return skipped;
  }

  std::optional<std::byte> next() noexcept {
    if (at_end()) return std::nullopt;
    const std::byte byte = **this;
    skip(1);
    return byte;
  }

  /// Advances to the next `wanted`, or to the end. Returns how many bytes it skipped.
  std::size_t skip_to(std::byte wanted) noexcept {
    std::size_t skipped = 0;
    while (!pieces_.empty()) {
      const void* found = std::memchr(rest().data(), std::to_integer<int>(wanted), rest().size());
      const std::size_t step = found == nullptr
                                   ? rest().size()
                                   : static_cast<std::size_t>(static_cast<const std::byte*>(found) - rest().data());
      offset_ += step;
      skipped += step;
      if (found != nullptr) break;
      settle();
    }
    return skipped;
  }

 private:
  [[nodiscard]] ConstBytes rest() const noexcept { return pieces_.front().subspan(offset_); }

  /// Skips pieces that are used up or empty.
  void settle() noexcept {
    while (!pieces_.empty() && offset_ == pieces_.front().size()) {
      pieces_ = pieces_.subspan(1);
      offset_ = 0;
    }
  }

  std::span<const ConstBytes> pieces_;
  std::size_t offset_ = 0;
};

ConnCloseTrailer::ConnCloseTrailer(std::uint64_t conn_id) noexcept
    : conn_id_(conn_id),
      id_size_(static_cast<std::size_t>(std::to_chars(id_.data(), id_.data() + id_.size(), conn_id).ptr - id_.data())) {
}

ConnCloseTrailer::Verdict ConnCloseTrailer::judge(std::span<const ConstBytes> readable, bool at_fin) const {
  std::size_t total = 0;
  for (const ConstBytes piece : readable) total += piece.size();

  // A trailer, or what may become one, starts within this many bytes of the end. The earliest start that fits
  // decides: nothing that fits holds another that does, because JSON has no raw 0x06.
  Cursor at(readable);
  std::size_t start = at.skip(total - std::min(total, limits::kConnCloseBytesMax));
  while (true) {
    start += at.skip_to(kType);
    if (at.at_end()) return {.deliver = total};
    bool dial_failed = false;
    const Held held = match(at, total - start, at_fin, dial_failed);
    if (held != Held::nothing) return {start, total - start, held, dial_failed};
    start += at.skip(1);
  }
}

/// Judges the last `size` bytes, which start at `at` with the type.
ConnCloseTrailer::Held ConnCloseTrailer::match(Cursor at, std::size_t size, bool at_fin, bool& dial_failed) const {
  if (at_fin && size <= kMessageHeaderBytes) return Held::nothing;
  const Held possible = at_fin ? Held::nothing : Held::possible;

  at.skip(1);
  std::size_t frame = kMessageHeaderBytes;
  for (std::size_t i = 1; i < kMessageHeaderBytes; ++i) {
    const auto byte = at.next();
    if (!byte) return possible;
    frame += std::to_integer<std::size_t>(*byte) << 8U * (kMessageHeaderBytes - 1 - i);
    if (frame > limits::kConnCloseBytesMax) return Held::nothing;  // most bytes that are no header end here
  }
  if (size > frame || frame == kMessageHeaderBytes) return Held::nothing;
  if (at_fin) return size == frame && is_conn_close(at, dial_failed) ? Held::trailer : Held::nothing;
  if (size == kMessageHeaderBytes) return possible;
  return match_json_start(at) ? Held::likely : Held::nothing;
}

/// Whether the available part of a payload is a beginning of `{"ConnID":<ours>,"Reason":"...`. Leaves `at` after the part
/// examined.
bool ConnCloseTrailer::match_json_start(Cursor& at) const {
  for (const std::string_view token :
       {std::string_view("{"), std::string_view("\"ConnID\""), std::string_view(":"), id_text(), std::string_view(","),
        std::string_view("\"Reason\""), std::string_view(":"), std::string_view("\"")}) {
    while (!at.at_end() && is_json_space(static_cast<char>(*at))) at.skip(1);
    for (const char c : token) {
      const auto byte = at.next();
      if (!byte) return true;
      if (static_cast<char>(*byte) != c) return false;
    }
  }
  while (const auto byte = at.next()) {
    const char c = static_cast<char>(*byte);
    if (static_cast<unsigned char>(c) < 0x20 && !is_json_space(c)) return false;  // never in JSON
  }
  return true;
}

bool ConnCloseTrailer::is_conn_close(Cursor payload, bool& dial_failed) const {
  if (Cursor start = payload; !match_json_start(start)) return false;
  std::vector<std::byte> flat;  // once a stream, at its end
  while (const auto byte = payload.next()) flat.push_back(*byte);
  const auto message = decode_message(static_cast<std::uint8_t>(MessageType::conn_close), flat);
  if (!message) return false;
  const auto& close = std::get<ConnClose>(*message);
  dial_failed = close.reason.starts_with(kDialFailed);
  return close.conn_id == conn_id_;
}

}  // namespace qmux::wire
