// SPDX-License-Identifier: MIT
//
// CHECK(condition) states a condition that only a bug of our own can violate. It stays on in release builds. It prints the place
// and the condition and ends the process. Input from a peer, a file or the network is never CHECKed: it gives a Result.
#pragma once

namespace qmux {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace qmux

#define CHECK(condition) ((condition) ? static_cast<void>(0) : ::qmux::check_failed(#condition, __FILE__, __LINE__))
