// SPDX-License-Identifier: MIT
#include "wire/connection_id.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace qmux::wire {
namespace {

using namespace std::literals;

TEST(PacketHeader, reads_a_long_header) {
  // RFC 9001 appendix A.2: the client's Initial.
  const auto header =
      parse_packet_header(as_bytes("\xc3\x00\x00\x00\x01\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\x00\x00\x44\x9e"sv), 8);
  ASSERT_TRUE(header);
  EXPECT_TRUE(header->is_long);
  EXPECT_EQ(header->version, 1U);
  EXPECT_EQ(as_text(header->dcid), "\x83\x94\xc8\xf0\x3e\x51\x57\x08"sv);
  EXPECT_TRUE(header->scid.empty());
}

TEST(PacketHeader, reads_ids_longer_than_version_1_has) {
  const std::string packet = "\xc0\xfa\xce\xb0\x0c\xff"s + std::string(255, 'd') + "\x15" + std::string(21, 's');
  const auto header = parse_packet_header(as_bytes(packet), 8);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->version, 0xfaceb00cU);
  EXPECT_EQ(header->dcid.size(), 255U);
  EXPECT_EQ(as_text(header->scid), std::string(21, 's'));
}

TEST(PacketHeader, reads_a_short_header_with_an_id_as_long_as_ours) {
  const auto header = parse_packet_header(as_bytes("\x4c"
                                                   "abcdefgh rest"sv),
                                          8);
  ASSERT_TRUE(header);
  EXPECT_FALSE(header->is_long);
  EXPECT_EQ(as_text(header->dcid), "abcdefgh");
}

TEST(PacketHeader, is_nothing_when_cut) {
  const std::string_view packet =
      "\xc3\x00\x00\x00\x01\x02"
      "ab\x02"
      "cd"sv;
  for (std::size_t size = 0; size < packet.size(); ++size) {
    EXPECT_FALSE(parse_packet_header(as_bytes(packet.substr(0, size)), 8)) << size;
  }
  EXPECT_TRUE(parse_packet_header(as_bytes(packet), 8));
  EXPECT_FALSE(parse_packet_header(as_bytes("\x4c"
                                            "abcdefg"sv),
                                   8));
  EXPECT_TRUE(parse_packet_header(as_bytes("\x4c"sv), 0));
}

RC_GTEST_PROP(PacketHeader, reads_any_bytes_and_nothing_beyond, (const std::vector<std::uint8_t>& octets)) {
  const std::vector<std::uint8_t> exact(octets);  // its end is the allocation's, which a sanitizer watches
  const ConstBytes packet = std::as_bytes(std::span(exact));
  const auto header = parse_packet_header(packet, *rc::gen::inRange<std::size_t>(0, 21));
  if (!header) return;
  const std::size_t fixed = header->is_long ? 7 : 1;
  RC_ASSERT(fixed + header->dcid.size() + header->scid.size() <= packet.size());
}

TEST(WorkerOf, leads_every_id_that_a_worker_issues_back_to_it) {
  for (std::size_t workers = 1; workers <= kWorkersMax; ++workers) {
    for (std::size_t worker = 0; worker < workers; ++worker) {
      for (unsigned random = 0; random < 256; random += 5) {
        const std::byte first = first_id_byte(worker, workers, static_cast<std::byte>(random));
        ASSERT_EQ(worker_of(ConstBytes(&first, 1), workers), worker) << workers << " workers, random " << random;
      }
    }
  }
}

TEST(WorkerOf, leads_an_empty_id_somewhere) { EXPECT_EQ(worker_of({}, 3), 0U); }

}  // namespace
}  // namespace qmux::wire
