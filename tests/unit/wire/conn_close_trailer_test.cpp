// SPDX-License-Identifier: MIT
#include "wire/conn_close_trailer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "wire/limits.h"
#include "wire/messages.h"

namespace qmux::wire {
namespace {

using Held = ConnCloseTrailer::Held;
using Verdict = ConnCloseTrailer::Verdict;

constexpr std::uint64_t kConnId = 11400714819323198485U;

std::string framed(std::string_view json) {
  std::string bytes(kMessageHeaderBytes, '\x06');
  write_be(std::as_writable_bytes(std::span(bytes)).subspan(1), static_cast<std::uint32_t>(json.size()));
  return bytes.append(json);
}

std::string trailer(std::string_view reason = "closed", std::uint64_t conn_id = kConnId) {
  std::vector<std::byte> bytes;
  encode(ConnClose{conn_id, std::string(reason)}, bytes);
  return std::string(as_text(bytes));
}

Verdict judge(std::string_view bytes, bool at_fin) {
  const ConstBytes piece = as_bytes(bytes);
  return ConnCloseTrailer(kConnId).judge({&piece, 1}, at_fin);
}

TEST(ConnCloseTrailer, drops_what_a_go_client_appends) {
  for (const std::string& frame :
       {trailer(), trailer(""), framed(R"({"ConnID":11400714819323198485,"Reason":"\u003cx\u003e"})"),
        framed(R"({"ConnID": 11400714819323198485, "Reason": "closed"})"),
        trailer(std::string(limits::kConnCloseBytesMax - trailer("").size(), 'x'))}) {
    EXPECT_EQ(judge(frame, true), (Verdict{0, frame.size(), Held::trailer})) << frame;
    EXPECT_EQ(judge("data" + frame, true), (Verdict{4, frame.size(), Held::trailer})) << frame;
    // Data that is a beginning of a trailer itself.
    EXPECT_EQ(judge(frame.substr(0, 9) + frame, true), (Verdict{9, frame.size(), Held::trailer})) << frame;
    EXPECT_EQ(judge(frame + frame, true), (Verdict{frame.size(), frame.size(), Held::trailer})) << frame;
  }
}

TEST(ConnCloseTrailer, says_when_the_client_could_not_dial) {
  const std::string frame = trailer("dial failed: dial tcp 127.0.0.1:80: connect: connection refused");
  EXPECT_EQ(judge(frame, true), (Verdict{0, frame.size(), Held::trailer, true}));
  EXPECT_FALSE(judge(trailer("closed"), true).dial_failed);
  EXPECT_FALSE(judge(frame, false).dial_failed);
}

TEST(ConnCloseTrailer, holds_every_beginning_of_a_trailer) {
  const std::string frame = trailer();
  for (std::size_t have = 1; have <= frame.size(); ++have) {
    const Held held = have <= kMessageHeaderBytes ? Held::possible : Held::likely;
    EXPECT_EQ(judge("data" + frame.substr(0, have), false), (Verdict{4, have, held})) << have;
  }
}

TEST(ConnCloseTrailer, delivers_at_once_what_no_trailer_begins_with) {
  const std::string frame = trailer();
  for (const std::string& bytes : {
           std::string("GET / HTTP/1.1\r\n\r\n"),
           std::string(100'000, '\0'),
           std::string("\x06 "),
           std::string("\x06\0\x01", 3),
           std::string("\x06\0\0\x10", 4),     // over the limit
           std::string("\x06\0\0\0\0", 5),     // empty
           std::string("\x06\0\0\0\x20[", 6),  // not an object
           trailer("closed", kConnId - 1),     // another stream's
           trailer("closed", kConnId / 10),    // a beginning of our number
           frame + "x",                        // not the last
           framed(R"({"Reason":"closed","ConnID":11400714819323198485})"),
           framed(R"({"ConnID":"11400714819323198485")"),
           framed("{\"ConnID\":11400714819323198485,\"Reason\":\"\x01"),
           trailer(std::string(limits::kConnCloseBytesMax - trailer("").size() + 1, 'x')),
       }) {
    EXPECT_EQ(judge(bytes, false), (Verdict{bytes.size(), 0, Held::nothing})) << bytes.substr(0, 100);
    EXPECT_EQ(judge(bytes, true), (Verdict{bytes.size(), 0, Held::nothing})) << bytes.substr(0, 100);
  }
}

TEST(ConnCloseTrailer, delivers_at_fin_what_did_not_become_a_trailer) {
  const std::string frame = trailer();
  for (std::size_t have = 0; have < frame.size(); ++have) {
    EXPECT_EQ(judge(frame.substr(0, have), true), (Verdict{have, 0, Held::nothing})) << have;
  }
  const std::string broken = framed(R"({"ConnID":11400714819323198485,"Reason":"closed")");
  EXPECT_EQ(judge(broken, false).held, Held::likely);
  EXPECT_EQ(judge(broken, true), (Verdict{broken.size(), 0, Held::nothing}));
}

// --- properties
// -------------------------------------------------------------------------------------------------------

/// What the visitor is to get of a whole stream, found the slow way.
std::string expected_of(const std::string& stream) {
  for (std::size_t start = 0; start + kMessageHeaderBytes <= stream.size(); ++start) {
    const std::string tail = stream.substr(start);
    if (tail.size() > limits::kConnCloseBytesMax || tail[0] != '\x06') continue;
    const ConstBytes frame = as_bytes(tail);
    if (read_be<std::uint32_t>(frame.subspan(1)) != tail.size() - kMessageHeaderBytes) continue;
    const auto message = decode_message(0x06, frame.subspan(kMessageHeaderBytes));
    if (message && std::get<ConnClose>(*message).conn_id == kConnId) return stream.substr(0, start);
  }
  return stream;
}

/// Data that keeps looking like a trailer: its pieces, its beginnings, and random bytes.
rc::Gen<std::string> deceptive_bytes() {
  using rc::gen::arbitrary;
  using rc::gen::element;
  using rc::gen::just;
  const auto beginning = rc::gen::map(rc::gen::inRange<std::size_t>(0, trailer().size() + 1),
                                      [](std::size_t size) { return trailer().substr(0, size); });
  const auto piece = rc::gen::oneOf(
      arbitrary<std::string>(), beginning, just(trailer()), just(trailer("closed", kConnId + 1)),
      just(trailer("dial failed: \x1f")), just(std::string("\x06\0\0\0", 4)),
      element<std::string>("\x06", "{", "}", "\"", "{\"ConnID\":", "11400714819323198485", ",\"Reason\":\"", "\"}"));
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece), [](const std::vector<std::string>& pieces) {
    std::string bytes;
    for (const auto& p : pieces) bytes += p;
    return bytes;
  });
}

/// Up to `most`, and rarely much more than `usual`.
std::size_t some(std::minstd_rand& random, std::size_t most, std::size_t usual) {
  return random() % (std::min(most, random() % 8 == 0 ? most : usual) + 1);
}

/// Cuts bytes anywhere, also into nothing.
std::vector<ConstBytes> cut(ConstBytes bytes, std::minstd_rand& random) {
  std::vector<ConstBytes> pieces;
  while (!bytes.empty()) {
    pieces.push_back(bytes.first(some(random, bytes.size(), 10)));
    bytes = bytes.subspan(pieces.back().size());
  }
  return pieces;
}

RC_GTEST_PROP(ConnCloseTrailer, delivers_everything_but_the_trailer_however_it_arrives, (std::uint32_t seed)) {
  std::minstd_rand random(seed);
  std::string stream = *deceptive_bytes();
  if (*rc::gen::arbitrary<bool>()) stream += trailer(*rc::gen::element<std::string>("", "closed", "dial failed: x"));
  const ConstBytes bytes = as_bytes(stream);
  const ConnCloseTrailer filter(kConnId);

  std::string delivered;
  std::size_t arrived = 0;
  while (true) {
    arrived += some(random, bytes.size() - arrived, 30);
    const bool at_fin = arrived == bytes.size() && random() % 2 == 0;
    const ConstBytes readable = bytes.subspan(delivered.size(), arrived - delivered.size());
    const Verdict verdict = filter.judge(cut(readable, random), at_fin);

    RC_ASSERT(verdict.deliver + verdict.hold == readable.size());
    RC_ASSERT(verdict.hold <= limits::kConnCloseBytesMax);
    RC_ASSERT((verdict.hold == 0) == (verdict.held == Held::nothing));
    RC_ASSERT((verdict.held == Held::trailer) == (at_fin && verdict.hold > 0));
    if (verdict.held == Held::possible) RC_ASSERT(verdict.hold <= kMessageHeaderBytes);

    // A slow visitor takes less than all of it, except at the end.
    const std::size_t taken = at_fin ? verdict.deliver : some(random, verdict.deliver, verdict.deliver);
    delivered += as_text(readable.first(taken));
    if (at_fin) break;
  }
  RC_ASSERT(delivered == expected_of(stream));
}

RC_GTEST_PROP(ConnCloseTrailer, holds_only_what_some_trailer_begins_with, ()) {
  const std::string bytes = *deceptive_bytes();
  const Verdict verdict = judge(bytes, false);
  if (verdict.held != Held::likely) return;
  std::string json = bytes.substr(verdict.deliver + kMessageHeaderBytes);
  std::erase_if(json, [](char c) { return std::string_view(" \t\n\r").contains(c); });
  const std::string start = R"({"ConnID":11400714819323198485,"Reason":")";
  const std::size_t common = std::min(json.size(), start.size());
  RC_ASSERT(json.substr(0, common) == start.substr(0, common));
}

}  // namespace
}  // namespace qmux::wire
