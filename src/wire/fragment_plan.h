// SPDX-License-Identifier: MIT
//
// How one UDP payload is sent: in one datagram where it fits, escaped if necessary, otherwise in as few fragments as possible.
// All fragments but the last have one size. So they can leave in one segmented send, and none fills a path that may shrink to its
// limit.
//
//   const auto plan = FragmentPlan::make(size, room, needs_escape(size, first_bytes));
//   const std::uint16_t id = plan.form() == FragmentPlan::Form::fragments ? *ids.next(now) : kEscapeFragmentId;
//   for (std::size_t i = 0; i < plan.datagrams(); ++i)
//     send(plan.header(session, id, i).bytes(), slice(payload, plan.slice(i).offset, plan.slice(i).size));
//
// A value; pure functions; any thread. Does not access the bytes, which may lie in several pieces.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire/datagram.h"

namespace qmux::wire {

class FragmentPlan {
 public:
  enum class Form {
    whole,
    escaped,     ///< whole, but as the only fragment of one, which no receiver misreads
    fragments,   ///< takes a fragment id
    impossible,  ///< more than kFragmentsMax fragments, or more than limits::kUdpPayloadBytesMax
  };
  /// The part of the payload that a datagram carries.
  struct Slice {
    std::size_t offset = 0;
    std::size_t size = 0;

    bool operator==(const Slice&) const = default;
  };

  /// `room_bytes`: the largest DATAGRAM payload the connection takes now, our header included. `escape`: needs_escape().
  [[nodiscard]] static FragmentPlan make(std::size_t payload_bytes, std::size_t room_bytes, bool escape) noexcept;

  [[nodiscard]] Form form() const noexcept { return form_; }
  /// How many to send; 0 if it is impossible.
  [[nodiscard]] std::size_t datagrams() const noexcept { return datagrams_; }
  /// `index` < datagrams().
  [[nodiscard]] Slice slice(std::size_t index) const noexcept;
  /// The header of that datagram. `id` comes from FragmentIds and is used only for fragments.
  [[nodiscard]] DatagramHeader header(std::uint32_t session, std::uint16_t id, std::size_t index) const noexcept;

 private:
  FragmentPlan(Form form, std::size_t payload_bytes, std::size_t datagrams) noexcept;

  Form form_;
  std::size_t payload_bytes_;
  std::size_t datagrams_;
  std::size_t fragment_bytes_;  ///< of each but the last
};

}  // namespace qmux::wire
