// SPDX-License-Identifier: MIT
//
// Calls of ngtcp2 that a failed assertion of the library ends, instead of the process. ngtcp2 1.11 states in assertions, which
// Debian leaves on, what a peer can break (docs/DECISIONS.md). It has no state but its connections', and no locks: what fails
// is one connection, which is then to be given up. Nothing of it may be called any more but getters and ConnectionMemory.
//
// What is called may pass through C and through functions without anything to destroy, for the way out is longjmp. Calls may be
// nested; a failure ends the innermost one. Each thread by itself.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

namespace qmux::quic {

/// What a guarded call returns when an assertion failed; ngtcp2 has no such error.
inline constexpr int kLibraryFailed = std::numeric_limits<int>::min();

/// How many calls have failed so, in this process.
[[nodiscard]] std::uint64_t library_failures() noexcept;
/// Of the last failure on this thread: the place and the condition, as text.
[[nodiscard]] std::string library_failure();

namespace detail {
/// False: an assertion failed.
[[nodiscard]] bool run_guarded(void (*call)(void*), void* argument) noexcept;
}  // namespace detail

/// The result of `call`, an integer; or kLibraryFailed.
template <typename Call>
[[nodiscard]] auto guarded(Call call) noexcept {
  using Result = std::invoke_result_t<Call>;
  static_assert(std::is_signed_v<Result> && std::is_trivially_destructible_v<Call>);
  struct Frame {
    Call call;
    Result result;
  };
  Frame frame{std::move(call), Result{}};
  const auto run = [](void* argument) {
    auto& inner = *static_cast<Frame*>(argument);
    inner.result = inner.call();
  };
  return detail::run_guarded(run, &frame) ? frame.result : Result{kLibraryFailed};
}

}  // namespace qmux::quic
