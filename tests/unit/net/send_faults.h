// SPDX-License-Identifier: MIT
//
// Stands in for the kernel's sendmmsg(2), which loopback never makes run out of room: the .cpp replaces it.
#pragma once

#include <cstddef>
#include <initializer_list>

namespace qmux::net {

/// While it lives, calls of sendmmsg by this thread take these courses, one each; then they are the kernel's again.
class SendFaults {
 public:
  struct Course {
    int error = 0;                  ///< fails with this errno, where not 0
    std::size_t messages_max = 64;  ///< takes so many at most
  };
  SendFaults(std::initializer_list<Course> courses);
  SendFaults(const SendFaults&) = delete;
  SendFaults& operator=(const SendFaults&) = delete;
  ~SendFaults();
};

/// Calls by this thread so far.
[[nodiscard]] std::size_t send_call_count() noexcept;

}  // namespace qmux::net
