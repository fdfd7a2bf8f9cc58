// SPDX-License-Identifier: MIT
#include "quic/packet_batch.h"

#include <gtest/gtest.h>

#include <vector>

namespace qmux::quic {
namespace {

const Address kLocal = *Address::parse("127.0.0.1:1");
const Address kRemote = *Address::parse("127.0.0.1:2");
const Address kOther = *Address::parse("127.0.0.1:3");

struct Shape {
  std::size_t bytes;
  std::size_t segment;
  bool operator==(const Shape&) const = default;
};

std::vector<Shape> drain(PacketBatch& batch) {
  std::vector<Shape> shapes;
  while (!batch.empty()) {
    shapes.push_back({batch.front().bytes.size(), batch.front().segment_bytes});
    batch.pop_front();
  }
  return shapes;
}

TEST(PacketBatch, joins_packets_of_one_size_and_a_shorter_last_one) {
  PacketBatch batch;
  for (const std::size_t size : {1200, 1200, 700, 1200}) batch.add(kLocal, kRemote, size, io::Ecn::not_ect);
  EXPECT_EQ(drain(batch), (std::vector<Shape>{{3100, 1200}, {1200, 1200}}));
}

TEST(PacketBatch, sends_a_larger_packet_by_itself) {
  PacketBatch batch;
  for (const std::size_t size : {1200, 1452, 1200}) batch.add(kLocal, kRemote, size, io::Ecn::not_ect);
  EXPECT_EQ(drain(batch), (std::vector<Shape>{{1200, 1200}, {2652, 1452}}));
}

TEST(PacketBatch, parts_paths_and_ecn) {
  PacketBatch batch;
  batch.add(kLocal, kRemote, 1200, io::Ecn::not_ect);
  batch.add(kLocal, kOther, 1200, io::Ecn::not_ect);
  batch.add(kLocal, kOther, 1200, io::Ecn::ect_0);
  EXPECT_EQ(drain(batch), (std::vector<Shape>{{1200, 1200}, {1200, 1200}, {1200, 1200}}));
}

TEST(PacketBatch, keeps_runs_within_what_the_kernel_takes) {
  PacketBatch batch;
  std::size_t added = 0;
  while (!batch.room().empty()) {
    batch.add(kLocal, kRemote, 1000, io::Ecn::not_ect);
    added += 1000;
  }
  std::size_t drained = 0;
  for (const Shape& shape : drain(batch)) {
    EXPECT_LE(shape.bytes, PacketBatch::kRunBytesMax);
    EXPECT_LE(shape.bytes / shape.segment, PacketBatch::kRunPacketsMax);
    drained += shape.bytes;
  }
  EXPECT_EQ(drained, added);
}

TEST(PacketBatch, has_room_for_the_largest_packet_until_full) {
  PacketBatch batch;
  EXPECT_EQ(batch.room().size(), PacketBatch::kPacketBytesMax);
  batch.add(kLocal, kRemote, PacketBatch::kPacketBytesMax, io::Ecn::not_ect);
  EXPECT_TRUE(batch.room().empty() || batch.room().size() == PacketBatch::kPacketBytesMax);
  EXPECT_EQ(drain(batch).size(), 1U);
}

}  // namespace
}  // namespace qmux::quic
