// SPDX-License-Identifier: MIT
//
// Counts what the calling thread takes from the allocator, the C libraries' calls included: this file's .cpp replaces malloc.
// Not under sanitizers, which bring an allocator of their own.
#pragma once

#include <cstdint>

namespace qmux::integration {

/// Whether this build can count.
[[nodiscard]] bool counts_allocations() noexcept;
/// Calls of malloc, calloc and realloc by this thread so far.
[[nodiscard]] std::uint64_t allocation_count() noexcept;

}  // namespace qmux::integration
