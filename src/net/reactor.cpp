// SPDX-License-Identifier: MIT
#include "net/reactor.h"

#include <new>
#include <utility>

#include "base/check.h"
#include "net/file_descriptor.h"

namespace qmux::net {
namespace {

/// An Asio wait operation with our handler; checked where one is allocated.
constexpr std::size_t kOperationBytes = 128;
/// Completions collected in one pass at most: a flood must not delay the pass.
constexpr int kCompletionsPerPassMax = 256;

constexpr unsigned bit(Readiness readiness) noexcept { return 1U << static_cast<unsigned>(readiness); }

}  // namespace

/// Lives as long as Asio may still complete a wait: longer than the Descriptor, which may be destroyed at any time.
struct Reactor::Watch {
  Watch(Reactor& r, Events& o) : reactor(r), owner(&o), descriptor(r.io_.get_executor()) {}

  Reactor& reactor;
  Events* owner;  ///< nullptr: the Descriptor has been destroyed
  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> descriptor;
  unsigned armed = 0;       ///< bits of waits that Asio holds
  unsigned pending = 0;     ///< bits of the readiness to report to the owner
  unsigned references = 0;  ///< one for each armed bit, one while listed, one while being notified
  bool listed = false;
};

template <typename T>
struct Reactor::OperationAllocator {
  using value_type = T;
  OperationPool* pool;

  explicit OperationAllocator(OperationPool& p) noexcept : pool(&p) {}
  template <typename U>
  explicit(false) OperationAllocator(const OperationAllocator<U>& other) noexcept : pool(other.pool) {}
  T* allocate(std::size_t count) { return static_cast<T*>(pool->take(count * sizeof(T))); }
  void deallocate(T* block, std::size_t) noexcept { pool->give_back(block); }
  template <typename U>
  bool operator==(const OperationAllocator<U>& other) const noexcept {
    return pool == other.pool;
  }
};

/// Completion handler of one wait.
struct Reactor::Waited {
  Watch* watch;
  Readiness readiness;

  using allocator_type = OperationAllocator<void>;
  [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(watch->reactor.operations_); }

  void operator()(const asio::error_code& error) const {
    watch->armed &= ~bit(readiness);
    if (watch->owner != nullptr && !error) watch->reactor.list(*watch, readiness);
    watch->reactor.unreference(*watch);
  }
};

void* Reactor::OperationPool::take(std::size_t bytes) {
  CHECK(bytes <= kOperationBytes);
  if (free_ == nullptr) return ::operator new(kOperationBytes);
  return std::exchange(free_, free_->next);
}

void Reactor::OperationPool::give_back(void* block) noexcept { free_ = new (block) Free{free_}; }

Reactor::OperationPool::~OperationPool() {
  while (free_ != nullptr) ::operator delete(std::exchange(free_, free_->next));
}

Reactor::Reactor() : io_(ASIO_CONCURRENCY_HINT_UNSAFE), never_out_of_work_(io_.get_executor()) {}

Reactor::~Reactor() {
  for (Watch* watch : ready_) unreference(*watch);
  // Cancelled waits still hold their Watch; their completions are queued already.
  while (watch_count_ > 0 && io_.poll_one() > 0) {
  }
  CHECK(watch_count_ == 0);
}

void Reactor::collect(bool block) {
  if (block) {
    // Completions that list nothing (cancelled waits, edges without a waiter) begin no pass.
    while (ready_.empty()) io_.run_one();
  }
  for (int count = 0; count < kCompletionsPerPassMax && io_.poll_one() > 0; ++count) {
  }
}

void Reactor::dispatch() {
  std::swap(ready_, dispatching_);
  for (Watch* watch : dispatching_) {
    watch->listed = false;
    const unsigned pending = std::exchange(watch->pending, 0U);
    for (const Readiness readiness : {Readiness::error, Readiness::read, Readiness::write}) {
      if ((pending & bit(readiness)) != 0 && watch->owner != nullptr) watch->owner->ready(readiness);
    }
    unreference(*watch);
  }
  dispatching_.clear();
}

void Reactor::list(Watch& watch, Readiness readiness) {
  watch.pending |= bit(readiness);
  if (std::exchange(watch.listed, true)) return;
  ++watch.references;
  ready_.push_back(&watch);
}

void Reactor::unreference(Watch& watch) noexcept {
  if (--watch.references > 0 || watch.owner != nullptr) return;
  --watch_count_;
  delete &watch;
}

Result<void> Descriptor::open(int fd) {
  CHECK(watch_ == nullptr);
  FileDescriptor owned(fd);
  watch_ = new Reactor::Watch(reactor_, owner_);
  ++reactor_.watch_count_;
  asio::error_code error;
  watch_->descriptor.assign(fd, error);
  if (error) return fail("cannot watch a descriptor: " + errno_text(error.value()));
  static_cast<void>(owned.release());
  return {};
}

int Descriptor::fd() const noexcept { return watch_ == nullptr ? -1 : watch_->descriptor.native_handle(); }

void Descriptor::arm(Readiness readiness) {
  if ((watch_->armed & bit(readiness)) != 0) return;
  watch_->armed |= bit(readiness);
  ++watch_->references;
  using Base = asio::posix::descriptor_base;
  const auto wait = readiness == Readiness::read    ? Base::wait_read
                    : readiness == Readiness::write ? Base::wait_write
                                                    : Base::wait_error;
  watch_->descriptor.async_wait(wait, Reactor::Waited{watch_, readiness});
}

void Descriptor::post(Readiness readiness) { reactor_.list(*watch_, readiness); }

void Descriptor::close() noexcept {
  if (watch_ == nullptr) return;
  const FileDescriptor closed(release());
}

int Descriptor::release() noexcept {
  if (watch_ == nullptr) return -1;
  Reactor::Watch& watch = *std::exchange(watch_, nullptr);
  const int fd = watch.descriptor.is_open() ? watch.descriptor.release() : -1;
  watch.owner = nullptr;
  watch.pending = 0;
  ++watch.references;
  reactor_.unreference(watch);
  return fd;
}

}  // namespace qmux::net
