// SPDX-License-Identifier: MIT
//
// CHECK(condition) states what only a bug of our own can break; it stays on in release builds and ends the process
// with the place and the condition. Never CHECK what a peer, a file or the network sent: that is a Result.
#pragma once

namespace qmux {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace qmux

#define CHECK(condition) ((condition) ? static_cast<void>(0) : ::qmux::check_failed(#condition, __FILE__, __LINE__))
