// SPDX-License-Identifier: MIT
//
// What all stuck tunnels of a process may hold together. A tunnel is stuck while bytes that came from its stream wait for a
// socket that takes no more, or for the dial of one. Each holds at most its stream's window; thousands of them are bounded here:
// from half of the limit on those that hold more than their fair share of it get no more stream credit, and over the limit the
// tunnel whose socket has taken nothing for the longest time is ended, at the end of the pass.
//
// One budget a worker; one thread; outlives its holders. A holder may be destroyed at any time and is forgotten then.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/call_guard.h"
#include "base/counter.h"

namespace qmux::tunnel {

/// What the workers of a process may hold together. A worker that holds no more than its share evicts no tunnel when others do:
/// all together hold less than twice the limit. Any thread; outlives the budgets.
class MemoryLimit {
 public:
  MemoryLimit(std::size_t bytes_max, std::size_t workers) noexcept
      : bytes_max_(bytes_max), share_bytes_(bytes_max / workers) {}

  [[nodiscard]] bool exceeded() const noexcept { return held_bytes_.load(std::memory_order_relaxed) > bytes_max_; }
  [[nodiscard]] bool is_tight() const noexcept { return held_bytes_.load(std::memory_order_relaxed) > bytes_max_ / 2; }
  [[nodiscard]] std::size_t share_bytes() const noexcept { return share_bytes_; }
  /// What each holder may hold while it is tight, so that tunnels that take nothing do not slow down those that take little.
  [[nodiscard]] std::size_t fair_bytes() const noexcept {
    return bytes_max_ / 2 / std::max<std::size_t>(holders_.load(std::memory_order_relaxed), 1);
  }
  /// A holder holds `after` in place of `before`.
  void charge(std::size_t before, std::size_t after) noexcept {
    held_bytes_.fetch_add(after - before, std::memory_order_relaxed);
    if (before == 0 && after > 0) holders_.fetch_add(1, std::memory_order_relaxed);
    if (before > 0 && after == 0) holders_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  const std::size_t bytes_max_;
  const std::size_t share_bytes_;
  std::atomic<std::size_t> held_bytes_{0};
  std::atomic<std::size_t> holders_{0};
};

class MemoryBudget {
 public:
  class Holder {
   public:
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    /// MemoryBudget::make_room()
    static bool make_room(MemoryBudget& budget);

   protected:
    explicit Holder(MemoryBudget& budget) noexcept : budget_(budget) {}
    ~Holder() { release(); }

    /// It holds this many bytes now, charged in whole chunks. `progressed`: its socket has taken some since the last call, so
    /// that others count as stuck longer.
    void charge(std::size_t bytes, bool progressed);
    /// It holds nothing.
    void release() noexcept;
    [[nodiscard]] bool is_holding() const noexcept { return charged_bytes_ > 0; }
    /// More than half of what is allowed is held, and this one holds more than its fair share of that: it gets no more credit
    /// until it has taken what it holds.
    [[nodiscard]] bool is_tight() const noexcept {
      return budget_.limit_.is_tight() && charged_bytes_ > budget_.limit_.fair_bytes();
    }

   private:
    /// Whether its far end has taken anything since the last call with `progressed`, or the last of these: the socket's readiness
    /// shows that late.
    [[nodiscard]] virtual bool has_progressed() = 0;
    /// From make_room(): over the limit, and stuck longest. It holds nothing now; it ends, and may be destroyed before this
    /// returns.
    virtual void evicted() = 0;

    void append() noexcept;
    void unlink() noexcept;

    MemoryBudget& budget_;
    CallGuard guard_;
    Holder* previous_ = nullptr;
    Holder* next_ = nullptr;
    std::size_t charged_bytes_ = 0;  ///< 0: not in the list
  };

  /// `evictions` counts tunnels that the limit has ended; both outlive it.
  MemoryBudget(MemoryLimit& limit, Counter& evictions) noexcept : limit_(limit), evictions_(evictions) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// At the end of a pass: evicts holders while the limit is exceeded and others hold no more than their share. True when it has.
  bool make_room() { return Holder::make_room(*this); }

  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }
  [[nodiscard]] std::size_t holder_count() const noexcept { return holder_count_; }

 private:
  void charge(std::size_t before, std::size_t after) noexcept {
    held_bytes_ += after - before;
    limit_.charge(before, after);
  }
  [[nodiscard]] bool must_evict() const noexcept { return limit_.exceeded() && held_bytes_ > limit_.share_bytes(); }

  MemoryLimit& limit_;
  std::size_t held_bytes_ = 0;
  std::size_t holder_count_ = 0;
  Counter& evictions_;
  Holder* longest_ = nullptr;  ///< stuck longest; the list goes on towards those that have just progressed
  Holder* latest_ = nullptr;
};

}  // namespace qmux::tunnel
