// SPDX-License-Identifier: MIT
//
// A peer's DATAGRAM frame: whatever it is read as, sending that brings it again.
#include "wire/datagram.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qmux;
  const auto first = wire::parse_datagram(std::as_bytes(std::span(data, size)));
  CHECK(first.has_value() == (size >= wire::kSessionHeaderBytes));
  if (!first) return 0;

  const auto header = first->fragment ? wire::DatagramHeader::fragment(first->session, *first->fragment)
                                      : wire::DatagramHeader::whole(first->session, first->payload);
  std::vector<std::byte> sent(header.bytes().begin(), header.bytes().end());
  sent.insert(sent.end(), first->payload.begin(), first->payload.end());

  const auto again = wire::parse_datagram(sent);
  CHECK(again);
  CHECK(again->session == first->session);
  CHECK(again->fragment == first->fragment);
  CHECK(!again->unescaped);
  CHECK(std::ranges::equal(again->payload, first->payload));
  return 0;
}
