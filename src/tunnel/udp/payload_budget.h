// SPDX-License-Identifier: MIT
//
// Limits the memory of UDP payloads that wait to be sent: a budget for each worker, and in it an account for each connection. A
// connection that does not drain (its client has stopped, its path is slow) holds no more than its account allows. When the
// worker's budget is used up, the account that holds most drops payloads, whichever account wants to add.
//
// One thread, that of the worker. The budget outlives its accounts.
#pragma once

#include <cstddef>

namespace qmux::tunnel {

class PayloadBudget;

/// The memory of one connection's payloads. Implemented by the class that queues them.
class PayloadAccount {
 public:
  PayloadAccount(const PayloadAccount&) = delete;
  PayloadAccount& operator=(const PayloadAccount&) = delete;

  /// Whether more may be added. If the worker's budget is the reason for false, make_room() helps.
  [[nodiscard]] bool has_room() const noexcept;
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }
  [[nodiscard]] std::size_t bytes_max() const noexcept { return bytes_max_; }
  /// A queue holds `after` bytes in place of `before`.
  void charge(std::size_t before, std::size_t after) noexcept;
  /// If the worker's budget is used up, the account that holds most drops an eighth of its bytes.
  void make_room();

 protected:
  explicit PayloadAccount(PayloadBudget& budget) noexcept;
  ~PayloadAccount();

 private:
  /// Drops waiting payloads, the oldest of each queue first, until `bytes` are held, or nothing is left to drop.
  virtual void drop_down_to(std::size_t bytes) = 0;

  PayloadBudget& budget_;
  const std::size_t bytes_max_;
  std::size_t held_bytes_ = 0;
  PayloadAccount* previous_ = nullptr;  ///< in the budget's list
  PayloadAccount* next_ = nullptr;
};

class PayloadBudget {
 public:
  explicit PayloadBudget(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}
  PayloadBudget(const PayloadBudget&) = delete;
  PayloadBudget& operator=(const PayloadBudget&) = delete;

  [[nodiscard]] bool has_room() const noexcept { return held_bytes_ < bytes_max_; }
  /// An upper bound, in whole chunks.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }
  [[nodiscard]] std::size_t bytes_max() const noexcept { return bytes_max_; }

 private:
  friend class PayloadAccount;

  const std::size_t bytes_max_;
  std::size_t held_bytes_ = 0;
  PayloadAccount* accounts_ = nullptr;
};

}  // namespace qmux::tunnel
