// SPDX-License-Identifier: MIT
//
// A UDP payload on the QUIC port: its header is read within its bounds and leads to a worker.
#include <cstdint>

#include "base/check.h"
#include "fuzz_input.h"
#include "wire/connection_id.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qmux;
  fuzz::FuzzInput input(data, size);
  const std::size_t short_dcid_bytes = input.up_to(20);
  const std::size_t workers = 1 + input.up_to(255);
  const std::byte random{input.byte()};
  const ConstBytes packet = input.rest();

  const auto header = wire::parse_packet_header(packet, short_dcid_bytes);
  if (!header) return 0;
  const auto* begin = packet.data();
  const auto* end = packet.data() + packet.size();
  CHECK(header->dcid.data() > begin && header->dcid.data() + header->dcid.size() <= end);
  if (header->is_long) {
    CHECK(header->scid.data() > header->dcid.data() && header->scid.data() + header->scid.size() <= end);
  } else {
    CHECK(header->dcid.size() == short_dcid_bytes && header->scid.empty());
  }

  const std::size_t worker = wire::worker_of(header->dcid, workers);
  CHECK(worker < workers);
  const std::byte first = wire::first_id_byte(worker, workers, random);
  CHECK(wire::worker_of(ConstBytes(&first, 1), workers) == worker);
  return 0;
}
