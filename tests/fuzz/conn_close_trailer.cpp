// SPDX-License-Identifier: MIT
//
// A tunnel stream of a Go client as a sequence of arrivals and reads: the visitor gets every byte but a trailer's,
// and what it gets does not depend on the sequence.
#include "wire/conn_close_trailer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "fuzz_input.h"
#include "wire/limits.h"

namespace {

using namespace qmux;
using Held = wire::ConnCloseTrailer::Held;

constexpr std::uint64_t kConnId = 42;  // short, so that the fuzzer finds it

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const ConstBytes script = input.bytes(16);
  fuzz::FuzzInput decisions(as_octets(script), script.size());
  const ConstBytes stream = input.rest();
  const wire::ConnCloseTrailer filter(kConnId);

  const auto whole = filter.judge({&stream, 1}, true);
  CHECK(whole.deliver + whole.hold == stream.size());
  CHECK((whole.hold > 0) == (whole.held == Held::trailer));

  std::size_t arrived = 0;
  std::size_t delivered = 0;
  while (arrived < stream.size()) {
    arrived += decisions.empty() ? stream.size() - arrived : decisions.up_to(stream.size() - arrived);
    const ConstBytes readable = stream.subspan(delivered, arrived - delivered);
    const std::size_t cut = decisions.up_to(readable.size());
    const std::array pieces = {readable.first(cut), readable.subspan(cut)};

    const auto now = filter.judge(pieces, false);
    CHECK(now.deliver + now.hold == readable.size());
    CHECK(now.hold <= limits::kConnCloseBytesMax);
    CHECK((now.hold == 0) == (now.held == Held::nothing));
    CHECK(now.held != Held::trailer);
    CHECK(delivered + now.deliver <= whole.deliver);  // never a byte of the trailer
    delivered += std::min(now.deliver, decisions.empty() ? now.deliver : decisions.up_to(now.deliver));
  }
  const ConstBytes rest = stream.subspan(delivered);
  CHECK(filter.judge({&rest, 1}, true).deliver == whole.deliver - delivered);
  return 0;
}
