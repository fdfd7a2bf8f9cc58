// SPDX-License-Identifier: MIT
//
// Turns the kernel's readiness into an ordered list. A Descriptor is armed for the readiness that its owner waits for. When it
// becomes ready, it is only put on the list. dispatch() then calls the owners in order. No code of ours runs between the two, so
// a pass of the loop has one beginning.
//
// One thread; Asio without locks. Arming costs one system call (epoll_ctl) and, in steady state, no allocation. A Reactor
// outlives its descriptors.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"

namespace qmux::net {

/// In the order in which one descriptor's owner is notified.
enum class Readiness : std::uint8_t {
  error,  ///< the kernel has something exceptional: an error, a hang-up, urgent data
  read,   ///< reading may make progress, if only to learn of an error
  write,  ///< likewise writing
};

class Reactor {
 public:
  /// Events of a Descriptor.
  class Events {
   public:
    /// Called from dispatch() only, once for each arm() or post(). It may be called although nothing is ready after all. It may
    /// destroy the descriptor.
    virtual void ready(Readiness readiness) = 0;

   protected:
    ~Events() = default;
  };

  /// Throws std::system_error when the process has no descriptors left.
  Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor();

  /// Collects the ready descriptors. With `block` it waits until one is ready.
  void collect(bool block);
  /// Notifies the owners of the collected descriptors. What is posted meanwhile is reported by the next call.
  void dispatch();

 private:
  friend class Descriptor;
  struct Watch;
  struct Waited;
  template <typename T>
  struct OperationAllocator;

  /// Memory of Asio's wait operations: blocks of one size, kept for reuse.
  class OperationPool {
   public:
    OperationPool() = default;
    OperationPool(const OperationPool&) = delete;
    OperationPool& operator=(const OperationPool&) = delete;
    ~OperationPool();
    [[nodiscard]] void* take(std::size_t bytes);
    void give_back(void* block) noexcept;

   private:
    struct Free {
      Free* next;
    };
    Free* free_ = nullptr;
  };

  void list(Watch& watch, Readiness readiness);
  void unreference(Watch& watch) noexcept;

  OperationPool operations_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> never_out_of_work_;
  std::vector<Watch*> ready_;
  std::vector<Watch*> dispatching_;
  std::size_t watch_count_ = 0;
};

/// One descriptor in a Reactor, owned with it: destruction closes it.
class Descriptor {
 public:
  Descriptor(Reactor& reactor, Reactor::Events& owner) noexcept : reactor_(reactor), owner_(owner) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  /// Takes `fd`, non-blocking. When the kernel cannot watch it, it is closed, and only post() has an effect.
  [[nodiscard]] Result<void> open(int fd);
  [[nodiscard]] bool is_open() const noexcept { return watch_ != nullptr; }
  [[nodiscard]] int fd() const noexcept;

  /// The owner is notified once of this readiness. Arming it again has no effect.
  void arm(Readiness readiness);
  /// The owner is notified in the next pass, which begins at once.
  void post(Readiness readiness);

  void close() noexcept;
  /// Gives the descriptor up to the caller.
  [[nodiscard]] int release() noexcept;

 private:
  Reactor& reactor_;
  Reactor::Events& owner_;
  Reactor::Watch* watch_ = nullptr;
};

}  // namespace qmux::net
