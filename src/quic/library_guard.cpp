// SPDX-License-Identifier: MIT
#include "quic/library_guard.h"

#include <setjmp.h>  // NOLINT(modernize-deprecated-headers): _setjmp is POSIX's

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace qmux::quic {
namespace {

/// The way out of a guarded call.
struct Exit {
  jmp_buf place;
  Exit* outer;
};

/// What assert() gives: string constants, which stay valid.
struct Failure {
  const char* assertion = nullptr;
  const char* file = "";
  unsigned line = 0;
};

constinit thread_local Exit* current_exit = nullptr;
constinit thread_local Failure last_failure;
constinit std::atomic<std::uint64_t> failures{0};

std::string_view file_name(const char* path) {
  const std::string_view whole = path != nullptr ? path : "";
  return whole.substr(whole.rfind('/') + 1);
}

}  // namespace

std::uint64_t library_failures() noexcept { return failures.load(std::memory_order_relaxed); }

std::string library_failure() {
  if (last_failure.assertion == nullptr) return {};
  std::string text(file_name(last_failure.file));
  return text + ":" + std::to_string(last_failure.line) + ": " + last_failure.assertion;
}

namespace detail {

// Nothing here changes after _setjmp that is needed after the jump.
[[gnu::noinline]] bool run_guarded(void (*call)(void*), void* argument) noexcept {
  Exit exit;
  exit.outer = current_exit;
  if (_setjmp(exit.place) != 0) return false;  // NOLINT(cert-err52-cpp): through C there is no other way
  current_exit = &exit;
  call(argument);
  current_exit = exit.outer;
  return true;
}

}  // namespace detail
}  // namespace qmux::quic

/// Stands in for the C library's, for the whole process: what a failed assert() calls. Only ngtcp2's own, inside a guarded
/// call, are caught.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the name is the C library's
extern "C" [[noreturn]] void __assert_fail(const char* assertion, const char* file, unsigned line,
                                           const char* function) noexcept {
  using namespace qmux::quic;
  if (Exit* const exit = current_exit; exit != nullptr && file_name(file).starts_with("ngtcp2_")) {
    last_failure = {assertion, file, line};
    failures.fetch_add(1, std::memory_order_relaxed);
    current_exit = exit->outer;
    longjmp(exit->place, 1);  // NOLINT(cert-err52-cpp)
  }
  std::fprintf(stderr, "%s:%u: %s: assertion failed: %s\n", file, line, function != nullptr ? function : "?",
               assertion);
  std::abort();
}
