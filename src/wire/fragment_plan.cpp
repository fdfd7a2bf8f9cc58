// SPDX-License-Identifier: MIT
#include "wire/fragment_plan.h"

#include <algorithm>

#include "base/check.h"
#include "wire/limits.h"

namespace qmux::wire {
namespace {

constexpr std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

}  // namespace

FragmentPlan::FragmentPlan(Form form, std::size_t payload_bytes, std::size_t datagrams) noexcept
    : form_(form),
      payload_bytes_(payload_bytes),
      datagrams_(datagrams),
      fragment_bytes_(datagrams == 0 ? 0 : divide_up(payload_bytes, datagrams)) {}

FragmentPlan FragmentPlan::make(std::size_t payload_bytes, std::size_t room_bytes, bool escape) noexcept {
  const FragmentPlan impossible(Form::impossible, payload_bytes, 0);
  if (payload_bytes > limits::kUdpPayloadBytesMax) return impossible;
  const std::size_t header_bytes = escape ? kFragmentHeaderBytes : kSessionHeaderBytes;
  if (payload_bytes + header_bytes <= room_bytes) return {escape ? Form::escaped : Form::whole, payload_bytes, 1};
  if (room_bytes <= kFragmentHeaderBytes) return impossible;
  // At least two, as the larger header fits even less. With the fewest fragments even the smallest last one has a byte.
  const std::size_t fragments = divide_up(payload_bytes, room_bytes - kFragmentHeaderBytes);
  if (fragments > kFragmentsMax) return impossible;
  return {Form::fragments, payload_bytes, fragments};
}

FragmentPlan::Slice FragmentPlan::slice(std::size_t index) const noexcept {
  CHECK(index < datagrams_);
  const std::size_t offset = index * fragment_bytes_;
  return {.offset = offset, .size = std::min(fragment_bytes_, payload_bytes_ - offset)};
}

DatagramHeader FragmentPlan::header(std::uint32_t session, std::uint16_t id, std::size_t index) const noexcept {
  CHECK(index < datagrams_);
  switch (form_) {
    case Form::whole:
      return DatagramHeader::bare(session);
    case Form::escaped:
      return DatagramHeader::escaped(session);
    default:
      CHECK(id != kEscapeFragmentId);
      return DatagramHeader::fragment(
          session,
          {.id = id, .index = static_cast<std::uint8_t>(index), .total = static_cast<std::uint8_t>(datagrams_)});
  }
}

}  // namespace qmux::wire
