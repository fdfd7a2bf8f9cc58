// SPDX-License-Identifier: MIT
#include "integration/allocation_counter.h"

#include <cstddef>

namespace {

thread_local std::uint64_t calls = 0;

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define QMUX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define QMUX_SANITIZED 1
#endif
#endif

#ifndef QMUX_SANITIZED
// glibc's own names of its allocator, for programs that put something in front of it.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);

void* malloc(std::size_t bytes) {
  ++calls;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++calls;
  return __libc_calloc(count, bytes);
}
void* realloc(void* block, std::size_t bytes) {
  ++calls;
  return __libc_realloc(block, bytes);
}
}
#endif

namespace qmux::integration {

bool counts_allocations() noexcept {
#ifdef QMUX_SANITIZED
  return false;
#else
  return true;
#endif
}

std::uint64_t allocation_count() noexcept { return calls; }

}  // namespace qmux::integration
