// SPDX-License-Identifier: MIT
//
// A peer's control stream: the same messages however it is cut, and every message survives encoding.
#include "wire/messages.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <variant>
#include <vector>

#include "base/check.h"
#include "fuzz_input.h"
#include "wire/limits.h"
#include "wire/message_reader.h"

namespace {

using namespace qmux;

struct Read {
  std::vector<wire::Message> messages;
  bool failed = false;

  bool operator==(const Read&) const = default;
};

Read read_all(ConstBytes bytes, std::size_t piece_bytes_max, std::uint8_t seed) {
  std::minstd_rand random(seed);
  wire::MessageReader reader;
  Read read;
  while (!bytes.empty()) {
    const ConstBytes piece = bytes.first(1 + random() % std::min(bytes.size(), piece_bytes_max));
    const auto step = reader.read(piece);
    if (!step) {
      read.failed = true;
      CHECK(!reader.read(piece));
      break;
    }
    CHECK(step->consumed <= piece.size());
    CHECK(step->message || (step->consumed == piece.size() && reader.in_message()));
    CHECK(!step->message || !reader.in_message());
    if (step->message) read.messages.push_back(*step->message);
    bytes = bytes.subspan(step->consumed);
  }
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const std::uint8_t seed = input.byte();
  const ConstBytes stream = input.rest();

  const Read read = read_all(stream, stream.size(), 1);
  CHECK(read == read_all(stream, 7, seed));

  for (const wire::Message& message : read.messages) {
    if (std::holds_alternative<wire::UnknownMessage>(message)) continue;
    // Without an instance slot and epoch are not sent, and what was left out may push a full message over the limit.
    if (const auto* m = std::get_if<wire::Register>(&message); m && m->instance.empty()) continue;
    if (stream.size() > limits::kMessageBytesMax / 2) continue;
    std::vector<std::byte> bytes;
    wire::encode(message, bytes);
    CHECK(read_all(bytes, bytes.size(), 1) == (Read{{message}, false}));
  }
  return 0;
}
