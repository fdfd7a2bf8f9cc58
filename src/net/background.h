// SPDX-License-Identifier: MIT
//
// A function that may block, on a thread of its own; its result comes back to the loop.
//
// Belongs to the loop's thread. No thread waits for the function: destruction forgets its result, and the process may end before
// it. So the function shares nothing with the loop.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/result.h"
#include "net/file_descriptor.h"
#include "net/reactor.h"

namespace qmux::net {

template <typename T>
class Background final : Reactor::Events {
 public:
  using Work = std::move_only_function<T()>;
  using Done = std::move_only_function<void(T)>;

  explicit Background(Reactor& reactor) : descriptor_(reactor, *this) {}

  /// Once. `done` is called from the loop, and may destroy this. Fails when the process has no descriptors or threads left.
  [[nodiscard]] Result<void> begin(Work work, Done done) {
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return fail(errno_text(errno));
    FileDescriptor writer(ends[1]);
    if (auto opened = descriptor_.open(ends[0]); !opened) return opened;
    descriptor_.arm(Readiness::read);
    done_ = std::move(done);
    try {
      // The end of the pipe reports that the result is there.
      std::thread([work = std::move(work), answer = answer_, signal = std::move(writer)] mutable {
        auto result = work();
        const std::lock_guard lock(answer->mutex);
        answer->result.emplace(std::move(result));
      }).detach();
    } catch (const std::system_error& error) {
      return fail(error.what());
    }
    return {};
  }

 private:
  struct Answer {
    std::mutex mutex;
    std::optional<T> result;
  };

  void ready(Readiness) override {
    std::optional<T> result;
    {
      const std::lock_guard lock(answer_->mutex);
      result = std::exchange(answer_->result, std::nullopt);
    }
    if (!result) return descriptor_.arm(Readiness::read);
    auto done = std::move(done_);
    done(std::move(*result));
  }

  Done done_;
  std::shared_ptr<Answer> answer_ = std::make_shared<Answer>();
  Descriptor descriptor_;
};

}  // namespace qmux::net
