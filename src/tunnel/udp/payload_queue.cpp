// SPDX-License-Identifier: MIT
#include "tunnel/udp/payload_queue.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "wire/datagram.h"
#include "wire/limits.h"

namespace qmux::tunnel {
namespace {

/// Before each payload.
using Note = PayloadQueue::Front;

// A note and a payload of the largest size, whatever is left of the first chunk.
static_assert((PayloadQueue::kPiecesMax - 1) * Chunk::kCapacityBytes >= limits::kUdpPayloadBytesMax + sizeof(Note));

}  // namespace

void PayloadQueue::push(ConstBytes payload, Time now) {
  const Note note{.bytes = static_cast<std::uint32_t>(payload.size()),
                  .escape = wire::needs_escape(payload.size(), payload),
                  .since = now};
  bytes_.append(std::as_bytes(std::span(&note, 1)));
  bytes_.append(payload);
  charge();
}

PayloadQueue::Front PayloadQueue::front() const noexcept {
  std::array<ConstBytes, 2> views;
  const std::size_t count = bytes_.peek(views);
  CHECK(count > 0);
  Note note;
  auto* into = reinterpret_cast<std::byte*>(&note);
  const std::size_t first = std::min(views[0].size(), sizeof note);
  std::memcpy(into, views[0].data(), first);
  if (first < sizeof note) std::memcpy(into + first, views[1].data(), sizeof note - first);
  return note;
}

std::size_t PayloadQueue::view(std::size_t offset, std::size_t length,
                               std::span<ConstBytes, kPiecesMax> out) const noexcept {
  std::array<ConstBytes, kPiecesMax> held;
  const std::size_t pieces = bytes_.peek(held);
  std::size_t skip = sizeof(Note) + offset;
  std::size_t count = 0;
  for (std::size_t i = 0; i < pieces && length > 0; ++i) {
    if (skip >= held[i].size()) {
      skip -= held[i].size();
      continue;
    }
    const ConstBytes rest = held[i].subspan(skip);
    out[count] = rest.first(std::min(length, rest.size()));
    length -= out[count++].size();
    skip = 0;
  }
  CHECK(length == 0);
  return count;
}

void PayloadQueue::pop() noexcept {
  bytes_.drop(sizeof(Note) + front().bytes);
  charge();
}

void PayloadQueue::clear() noexcept {
  bytes_.clear();
  charge();
}

void PayloadQueue::charge() noexcept {
  // The first chunk and the last one may each be held for only a few bytes.
  const std::size_t chunks = bytes_.empty() ? 0 : (bytes_.size() - 1) / Chunk::kCapacityBytes + 2;
  const std::size_t charge = chunks * Chunk::kAllocatedBytes;
  account_.charge(std::exchange(charged_bytes_, charge), charge);
}

}  // namespace qmux::tunnel
